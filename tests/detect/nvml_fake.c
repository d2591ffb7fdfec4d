/* A library that speaks NVML's ABI and answers from the file named by FAKE_NVML, line by line:
 *
 *   driver 550.54.15            the driver; cuda 12040: the newest CUDA that it speaks
 *   gpu MAJOR MINOR BYTES NAME  a GPU (BYTES 0: memory not supported, MAJOR 0: no capability, NAME "lost": gone)
 *   set KEY VALUE ...           a property of the GPU above; one that is not set is not supported
 *   slice UUID NAME             a MIG slice of the GPU above
 *   init CODE                   nvmlInit fails
 *   fail FUNCTION CODE          a function fails;  hang FUNCTION: it never returns;  hang: nvmlInit never returns
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT 2000
#define SLICES 8
#define PROPERTIES 32
#define FAULTS 16
enum { UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, SMALL = 7, NO_FUNCTION = 13, LOST = 15 };

typedef struct { char key[32]; unsigned long long values[4]; char text[96]; } property_t;
typedef struct gpu {
    int major, minor;
    unsigned long long bytes;
    char name[96];
    unsigned properties, slices;
    property_t property[PROPERTIES];
    struct gpu *slice[SLICES];
} gpu_t;
typedef struct { char function[64]; int code; } fault_t; /* code -1: hangs */
typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { char legacy[16]; unsigned domain, bus, device, id, subsystem; char bus_id[32]; } pci_t;
typedef struct { unsigned version; unsigned char cluster[16]; int status; unsigned clique; unsigned char state; unsigned health; } fabric_t;
/* nvmlGridLicensableFeatures_t, version 4: https://docs.nvidia.com/deploy/nvml-api/ */
typedef struct { unsigned code, state; char info[128], product[128]; unsigned enabled; struct { unsigned year; unsigned short rest[5]; unsigned char status; } expiry; } feature_t;
typedef struct { int supported; unsigned count; feature_t features[3]; } licence_t;
typedef struct { unsigned pid; unsigned long long memory; unsigned gpu, compute; } process_t;

static gpu_t *gpus[LIMIT];
static fault_t faults[FAULTS];
static unsigned count, faulty;
static char driver[80];
static int cuda;

static void set(gpu_t *g, const char *line) {
    property_t *p = &g->property[g->properties];
    unsigned long long *v = p->values;
    if (g->properties == PROPERTIES || sscanf(line, "set %31s %95[^\n]", p->key, p->text) != 2) return;
    sscanf(p->text, "%llu %llu %llu %llu", v, v + 1, v + 2, v + 3);
    g->properties++;
}

static void slice(gpu_t *g, const char *line) {
    gpu_t *s = calloc(1, sizeof *s);
    char uuid[96], text[128];
    if (g->slices == SLICES || sscanf(line, "slice %95s %95[^\n]", uuid, s->name) != 2) { free(s); return; }
    snprintf(text, sizeof text, "set uuid %s", uuid);
    set(s, text);
    g->slice[g->slices++] = s;
}

static void fault(const char *function, int code) {
    if (faulty == FAULTS) return;
    snprintf(faults[faulty].function, sizeof faults[0].function, "%s", function);
    faults[faulty++].code = code;
}

static int begin(void) {
    char line[256], word[64];
    int code = 0, number;
    const char *path = getenv("FAKE_NVML");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file) return 9;
    while (fgets(line, sizeof line, file)) {
        gpu_t *last = count ? gpus[count - 1] : NULL, g = {0};
        line[strcspn(line, "\n")] = 0;
        if (!strcmp(line, "hang")) for (;;) pause();
        else if (sscanf(line, "driver %79s", driver) == 1 || sscanf(line, "cuda %d", &cuda) == 1) continue;
        else if (sscanf(line, "init %d", &code) == 1) continue;
        else if (sscanf(line, "fail %63s %d", word, &number) == 2) fault(word, number);
        else if (sscanf(line, "hang %63s", word) == 1) fault(word, -1);
        else if (last && !strncmp(line, "set ", 4)) set(last, line);
        else if (last && !strncmp(line, "slice ", 6)) slice(last, line);
        else if (count < LIMIT && sscanf(line, "gpu %d %d %llu %95[^\n]", &g.major, &g.minor, &g.bytes, g.name) == 4) {
            gpus[count] = malloc(sizeof g);
            *gpus[count++] = g;
        }
    }
    fclose(file);
    return code;
}

static int faulted(const char *function) {
    for (unsigned i = 0; i < faulty; i++)
        if (!strcmp(faults[i].function, function)) {
            while (faults[i].code < 0) pause();
            return faults[i].code;
        }
    return 0;
}

static property_t *get(gpu_t *g, const char *key) {
    for (unsigned i = 0; i < g->properties; i++)
        if (!strcmp(g->property[i].key, key)) return &g->property[i];
    return NULL;
}

/* The property of that key, or the function's failure. */
#define ASK(key) \
    int code_ = faulted(__func__); \
    property_t *p = get(g, key); \
    if (code_) return code_; \
    if (!p) return NOT_SUPPORTED
#define NUMBER(function, key) int function(gpu_t *g, unsigned *value) { ASK(key); *value = p->values[0]; return 0; }
#define CLOCK(function, key) int function(gpu_t *g, int type, unsigned *value) { (void)type; ASK(key); *value = p->values[0]; return 0; }

int nvmlInit_v2(void) { return begin(); }
int nvmlInitWithFlags(unsigned flags) { (void)flags; return begin(); }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) {
    return code == 9 ? "Driver Not Loaded" : code == 18 ? "Driver/library version mismatch" : "Unknown Error";
}
int nvmlSystemGetDriverVersion(char *text, unsigned size) { snprintf(text, size, "%s", driver); return faulted(__func__); }
int nvmlSystemGetCudaDriverVersion(int *version) { *version = cuda; return cuda ? faulted(__func__) : NOT_SUPPORTED; }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { return nvmlSystemGetCudaDriverVersion(version); }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = count; return faulted(__func__); }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, gpu_t **g) {
    if (i >= count) return INVALID;
    *g = gpus[i];
    return strcmp(gpus[i]->name, "lost") ? faulted(__func__) : LOST;
}
int nvmlDeviceGetName(gpu_t *g, char *text, unsigned size) { snprintf(text, size, "%s", g->name); return faulted(__func__); }
int nvmlDeviceGetCudaComputeCapability(gpu_t *g, int *major, int *minor) {
    *major = g->major;
    *minor = g->minor;
    return g->major ? faulted(__func__) : NOT_SUPPORTED;
}
int nvmlDeviceGetMemoryInfo(gpu_t *g, memory_t *memory) {
    property_t *p = get(g, "used");
    memory->total = g->bytes;
    memory->used = p ? p->values[0] : 0;
    memory->free = memory->total - memory->used;
    return g->bytes ? faulted(__func__) : NOT_SUPPORTED;
}
int nvmlDeviceGetUUID(gpu_t *g, char *text, unsigned size) { ASK("uuid"); snprintf(text, size, "%s", p->text); return 0; }
int nvmlDeviceGetPciInfo_v3(gpu_t *g, pci_t *pci) { ASK("bus"); snprintf(pci->bus_id, sizeof pci->bus_id, "%.31s", p->text); return 0; }
int nvmlDeviceGetMigMode(gpu_t *g, unsigned *now, unsigned *later) { ASK("mig"); *now = p->values[0]; *later = p->values[1]; return 0; }
int nvmlDeviceGetMaxMigDeviceCount(gpu_t *g, unsigned *n) { ASK("mig"); *n = 7; return 0; }
int nvmlDeviceGetMigDeviceHandleByIndex(gpu_t *g, unsigned i, gpu_t **s) {
    if (i >= g->slices) return NOT_FOUND;
    *s = g->slice[i];
    return faulted(__func__);
}
NUMBER(nvmlDeviceGetComputeMode, "compute_mode")
NUMBER(nvmlDeviceGetPersistenceMode, "persistence")
NUMBER(nvmlDeviceGetCurrPcieLinkGeneration, "pcie_gen")
NUMBER(nvmlDeviceGetMaxPcieLinkGeneration, "pcie_gen_max")
NUMBER(nvmlDeviceGetCurrPcieLinkWidth, "pcie_width")
NUMBER(nvmlDeviceGetMaxPcieLinkWidth, "pcie_width_max")
NUMBER(nvmlDeviceGetPowerUsage, "power")
NUMBER(nvmlDeviceGetEnforcedPowerLimit, "power_limit")
NUMBER(nvmlDeviceGetPowerManagementDefaultLimit, "power_default")
CLOCK(nvmlDeviceGetTemperature, "temperature")
CLOCK(nvmlDeviceGetClockInfo, "clock")
CLOCK(nvmlDeviceGetMaxClockInfo, "clock_max")
int nvmlDeviceGetEccMode(gpu_t *g, unsigned *now, unsigned *later) { ASK("ecc"); *now = *later = p->values[0]; return 0; }
int nvmlDeviceGetTotalEccErrors(gpu_t *g, int type, int counter, unsigned long long *n) {
    ASK("ecc_errors");
    if (type != 1) return INVALID;
    *n = p->values[counter ? 1 : 0];
    return 0;
}
int nvmlDeviceGetRemappedRows(gpu_t *g, unsigned *corrected, unsigned *uncorrected, unsigned *pending, unsigned *failed) {
    ASK("rows");
    *corrected = p->values[0];
    *uncorrected = p->values[1];
    *pending = p->values[2];
    *failed = p->values[3];
    return 0;
}
/* Drivers before 535 lack it: so does a GPU that has no `events`. */
int nvmlDeviceGetCurrentClocksEventReasons(gpu_t *g, unsigned long long *mask) {
    property_t *p = get(g, "events");
    if (!p) return NO_FUNCTION;
    *mask = p->values[0];
    return 0;
}
int nvmlDeviceGetCurrentClocksThrottleReasons(gpu_t *g, unsigned long long *mask) { ASK("throttle"); *mask = p->values[0]; return 0; }
int nvmlDeviceGetComputeRunningProcesses_v3(gpu_t *g, unsigned *n, process_t *rows) {
    ASK("processes");
    unsigned there = p->values[0], room = *n;
    *n = there;
    if (room < there) return SMALL;
    for (unsigned i = 0; i < there; i++) rows[i] = (process_t){.pid = 1000 + i};
    return 0;
}
int nvmlDeviceGetNvLinkState(gpu_t *g, unsigned link, unsigned *up) {
    ASK("links");
    if (link >= p->values[0]) return INVALID;
    *up = link < p->values[1];
    return 0;
}
int nvmlDeviceGetVirtualizationMode(gpu_t *g, unsigned *mode) { ASK("virtual"); *mode = p->values[0]; return 0; }
int nvmlDeviceGetGridLicensableFeatures_v4(gpu_t *g, licence_t *licence) {
    ASK("licence");
    licence->supported = p->values[0];
    licence->count = p->values[1];
    for (unsigned i = 0; i < 3; i++) licence->features[i].state = p->values[2];
    return 0;
}
int nvmlDeviceGetGpuFabricInfoV(gpu_t *g, fabric_t *fabric) {
    ASK("fabric");
    fabric->state = p->values[0];
    fabric->status = p->values[1];
    return 0;
}
