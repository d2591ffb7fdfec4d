/* A library that speaks NVML's ABI and answers from the file named by FAKE_NVML.
 *
 * Lines: "driver 550.54.15"; "gpu MAJOR MINOR BYTES NAME" (BYTES 0: not supported, MAJOR 0: no capability,
 * NAME "lost": the device is gone); "init CODE" makes nvmlInit fail; "hang" makes it never return.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT 2000
typedef struct { int major, minor; unsigned long long bytes; char name[96]; } gpu_t;
typedef struct { unsigned long long total, free, used; } memory_t;

static gpu_t gpus[LIMIT];
static unsigned count;
static char driver[80];

static int begin(void) {
    char line[256];
    int code = 0;
    const char *path = getenv("FAKE_NVML");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file) return 9;
    while (fgets(line, sizeof line, file)) {
        gpu_t *g = &gpus[count];
        line[strcspn(line, "\n")] = 0;
        if (!strcmp(line, "hang")) for (;;) pause();
        if (sscanf(line, "driver %79s", driver) == 1 || sscanf(line, "init %d", &code) == 1) continue;
        if (count < LIMIT && sscanf(line, "gpu %d %d %llu %95[^\n]", &g->major, &g->minor, &g->bytes, g->name) == 4)
            count++;
    }
    fclose(file);
    return code;
}

int nvmlInit_v2(void) { return begin(); }
int nvmlInitWithFlags(unsigned flags) { (void)flags; return begin(); }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) {
    return code == 9 ? "Driver Not Loaded" : code == 18 ? "Driver/library version mismatch" : "Unknown Error";
}
int nvmlSystemGetDriverVersion(char *text, unsigned size) { snprintf(text, size, "%s", driver); return 0; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = count; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, gpu_t **g) {
    if (i >= count) return 2;
    *g = &gpus[i];
    return strcmp(gpus[i].name, "lost") ? 0 : 15;
}
int nvmlDeviceGetName(gpu_t *g, char *text, unsigned size) { snprintf(text, size, "%s", g->name); return 0; }
int nvmlDeviceGetCudaComputeCapability(gpu_t *g, int *major, int *minor) {
    *major = g->major;
    *minor = g->minor;
    return g->major ? 0 : 3;
}
int nvmlDeviceGetMemoryInfo(gpu_t *g, memory_t *memory) {
    memory->total = memory->free = g->bytes;
    memory->used = 0;
    return g->bytes ? 0 : 3;
}
