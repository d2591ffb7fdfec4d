"""The words of what a post tells: each meaning with the patterns that one sentence has when it says so."""

from __future__ import annotations

__all__ = ["PROSE_PATTERNS"]

_GPU = (
    r"(?:gpus?|cuda(?: devices?| cores?)?|graphics? cards?|video cards?|nvidia(?: cards?)?|geforce|rtx|gtx)"
)
_SEE = (
    r"(?:see|sees|seen|seeing|detect\w{0,3}|find\w{0,3}|found|recogni[sz]\w{0,3}|us(?:e|es|ed|ing)"
    r"|utili[sz]\w{0,3}"
    r"|access\w{0,4}|picked up|pick up|available|visible|called|listed|engag\w{0,3})"
)
_NOT = r"(?:not(?: able to| even)?|\w{2,7}n'?t|cannot|does ?not|unable to|fail\w{0,3} to|never|no longer|isnt|wont)"
_CPU_USED = (
    r"\b(?:run|runs|running|ran|us(?:es?|ing|ed)|train\w{0,3}|fall(?:s|ing)? back|fell back|stays?"
    r"|comput\w{0,3}"
    r"|calculat\w{0,4}|execut\w{0,3}|load\w{0,3}|works?|goes)\b(?:(?!using gpu|gpu for)[^,]){0,40}\bcpu\b"
)
_ONLY = r"\b(?:only|just|rather than|always|still|but|however|instead|even (?:though|if)|although|all|not)\b"

# (fact, patterns all of which one sentence has)
PROSE_PATTERNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("prose.gpu_unused", (rf"\b{_NOT}\b[^,]{{0,30}}\b{_SEE}\b[^,]{{0,50}}\b{_GPU}\b",)),
    (
        "prose.gpu_unused",
        (rf"\b{_GPU}\b(?:(?!\.so|\.dll)[^,]){{0,50}}\b{_NOT}\b (?:\w{{1,12}} ){{0,2}}{_SEE}\b",),
    ),
    ("prose.gpu_unused", (_CPU_USED, _ONLY)),
    ("prose.gpu_unused", (r"\bcpu (?:is|was|gets|being) (?:still |always |only )?(?:being )?used", _ONLY)),
    (
        "prose.gpu_unused",
        (
            (
                r"\bno (?:cuda |nvidia )?gpus?(?: or (?:\w+ ){1,3}| )(?:is |are |was |were )?(?:being )?"
                r"(?:detect|found|avail|visib|used\b)"
                r"|\b(?:nothing|barely anything|hardly anything|close to nothing|zero) on (?:the|my) gpu\b"
            ),
        ),
    ),
    (
        "prose.gpu_unused",
        (
            (
                r"\b(?:gpu|cuda)\b[^,]{0,24}\bunavailable|\b0 ?% (?:gpu|usage|utili)|\bno (?:gpu )?load on\b"
                r"|\bno access to (?:the |any )?gpu"
            ),
        ),
    ),
    (
        "prose.gpu_unused",
        (r"\bgpu (?:usage|utili\w+|load)\b[^,]{0,12}\b0 ?%", r"\bcpu\b[^,]{0,20}\b(?:100|\d\d) ?%"),
    ),
    (
        "prose.gpu_unused",
        (
            r"\b(?:shows?|says?|stays?|remains?|is|stuck|runs?|running|starts?|works?)\b[^,]{0,24}\bcpu\b",
            r"\b(?:always|still|only|keeps?|just)\b|\bcpu\W{0,2} mode\b|\bdevice(?:[_ ]type)? \W?cpu\b",
        ),
    ),
    ("prose.gpu_unused", (rf"\b(?:{_NOT}\b[^,]{{0,30}}\bany|no) gpu (?:usage|utili\w+|activity)\b",)),
    ("prose.gpu_unused", (rf"\b{_GPU}\b (?:is |are )?(?:not|isn'?t|no longer|stopped) working\b",)),
    (
        "prose.gpu_unused",
        (rf"\b{_GPU}\b (?:has |have |had )?stop(?:s|ped)? being (?:{_SEE}|recogni[sz]ed)\b",),
    ),
    (
        "prose.gpu_unused",
        (
            (
                r"\b(?:can(?:no|')?t|can not|could ?n[o']t|unable to|fail\w{0,3} to) "
                rf"(?:turn on|enable|activate|switch (?:to|on)) (?:the |my )?{_GPU}\b"
            ),
        ),
    ),
    (
        "prose.no_gpu",
        (
            (
                r"\b(?:do|does|did)(?:n'?t| not) have (?:any|an?|the)? ?(?:\w+ )?(?:gpus?|graphics card)\b"
                r"(?! (?:support|access|version|enabled|usage))"
                r"|\b(?:mac|macbook|laptop|machine|computer|pc|system) without (?:an? |any )?(?:\w+ )?gpu\b"
                r"|(?:电脑|笔记本|机器|服务器)[^\uff0c]{0,6}没有(?:独立|独)?(?:显卡|gpu)"
            ),
        ),
    ),
    (
        "prose.gpu_unused",
        (
            (
                r"(?:检测|识别|找|调用|使用|发现|看|用)不[到了出上][^\uff0c]{0,8}(?:gpu|显卡|cuda)"
                r"|(?:gpu|显卡|cuda)[^\uff0c]{0,12}(?:不可用|无法使用|用不[了上到]|没反应|没有?使用"
                r"|未使用|没被|检测不到"
                r"|识别不[到了]|不能用|没用上|没有?调用)"
                r"|(?:无法|不能|没法|没有)[^\uff0c]{0,8}(?:调用|使用|检测|识别"
                r"|用)[^\uff0c]{0,10}(?:gpu|显卡|cuda)"
                r"|(?:只能|只会|还是|也是|一直|自动|仍然?|都是|全是|却|只[使用在]|用的|使用的"
                r"|显示的?是)[^\uff0c]{0,10}cpu|(?:怎么|为什么|为啥)[^\uff0c]{0,8}cpu"
                r"|[没未]能?(?:识别|检测|找|用|调用)[^\uff0c]{0,8}(?:显卡|gpu)"
                r"|(?:gpu|显卡)[^\uff0c]{0,6}(?:不(?:运行|工作|干活|动)|没(?:运行|工作|动)|跑不了"
                r"|使用率[^\uff0c]{0,6}(?:是|为)? ?0)"
            ),
        ),
    ),
    (
        "prose.gpu_works",
        (
            (
                r"\b(?:gpu|cuda)\b[^,]{0,30}\b(?:works? (?:fine|well|normally)|is (?:used|busy)"
                r"|faster|at 100 ?%)"
                r"|(?:gpu|显卡|显存|cuda)[^\uff0c]{0,8}(?:占用正常|正常占用|有占用|占用拉满|占用100"
                r"|快了?)|正常用(?:gpu|cuda)"
            ),
        ),
    ),
    (
        "prose.arch_missing",
        (
            (
                rf"\b(?:{_NOT} (?:contain|includ|have|support|ship|cover|compil|built)\w*|without"
                rf"|lacks?|dropp?\w*|no|"
                r"missing|only (?:includes?|supports?|has|have|contains?))\b[^,]{0,60}\bsm_?\d{2,3}\b"
            ),
        ),
    ),
    (
        "prose.cpu_build",
        (
            (
                r"\b(?:install\w{0,3}|got|have|has|pulls?|picks?|chose|choos\w+"
                r"|gives?)\b[^,]{0,40}\b(?:py)?torch\b"
                r"[^,]{0,24}\bcpu(?:[ -]only| version| build)|\b(?:install\w{0,3}|got|pulls?|picks?"
                r"|chose|gives?)\b"
                r"[^,]{0,24}\bcpu(?:[ -]only)? (?:version|build|wheel)?(?: of)? ?(?:py)?torch\b"
                r"|torch[^\uff0c]{0,16}cpu ?版|cpu ?版[^\uff0c]{0,4}(?:的 ?)?(?:py)?torch"
            ),
        ),
    ),
    (
        "prose.editor_fails",
        (
            r"\b(?:pycharm|vs ?code|vscode|spyder|pylance|idle|sublime|visual studio code|editor)\b",
            (
                rf"\b(?:{_NOT}|can not)\b[^,]{{0,24}}\b(?:run|use|import|find|work|load|resolv|see|detect)"
                r"|\bcan not run\b|\bfails?\b|\berror\b|报错|错误|没法|无法|不能|找不到|导入不了"
            ),
        ),
    ),
    (
        "prose.not_importable",
        (
            r"\binstall\w{0,3}\b|装了|安装",
            rf"\b{_NOT} import\b|无法导入|导入不了|没法 ?import|不能 ?import",
        ),
    ),
    (
        "prose.not_importable",
        (
            r"\b(?:py)?torch\b",
            r"\binstall\w{0,3}\b",
            r"\b(?:still|but|yet|even|although|though|already)\b",
            r"\b(?:module|package|torch) (?:is )?not (?:found|installed)|\bno (?:installation|module|such module)\b",
        ),
    ),
    (
        "prose.not_importable",
        (
            r"\bimport torch\b|torch ?(?:模块|包|库)|\btorch\b",
            r"找不到|导入不了|无法导入|导入失败|没有找到",
            r"模块|import|导入|这个包|库",
        ),
    ),
    ("prose.unresolved", (r"\bimport \W?torch\W{0,3} could not be resolved",)),
    (
        "prose.python_unsupported",
        (
            r"\b(?:pytorch|torch|wheels?)\b",
            r"\bpython ?3\.\d{1,2}\b",
            (
                rf"\b{_NOT}\b[^,]{{0,20}}\b(?:support|available|released|compatible)"
                rf"|\bno (?:\w+ ){{0,3}}(?:wheels?|builds?|versions?)\b"
                r"|\bunsupported\b|不支持|没有"
            ),
        ),
    ),
    (
        "prose.driver_gone",
        (
            r"\bdrivers?\b|nvidia-smi|驱动",
            (
                r"\b(?:lost|gone|disappear\w*|stop\w{0,4} working|not working|broken?|broke|breaks"
                r"|not load\w{0,4}|missing"
                r"|vanish\w*|cannot communicate)\b|失效|丢失|掉了|没了|不能用|用不了|不见"
            ),
            (
                r"\b(?:after|since|when|following|once|as)\b[^,]{0,40}\b(?:re-?boot\w{0,4}"
                r"|restart\w{0,4}|kernel|upgrad\w{0,3}"
                r"|updat\w{0,3})|(?:更新|升级|重启|换了?)[^\uff0c]{0,10}(?:内核|系统|后|之后)"
            ),
        ),
    ),
    (
        "prose.driver_updated",
        (
            r"\bdrivers?\b|驱动",
            r"\b(?:automatic\w*|unattended|by itself|on its own|silently)\b|自动|自己",
            r"\b(?:upgrad|updat)\w{0,4}\b|更新|升级",
        ),
    ),
    (
        "prose.gpu_gone",
        (
            r"\b(?:device manager|lspci|bios|nvidia control panel|task manager)\b|设备管理器|任务管理器",
            rf"\b{_NOT}\b|\bno longer\b|\bdisappear|\bmissing\b|\bgone\b|没有|不到|消失|不见",
        ),
    ),
    (
        "prose.secure_boot",
        (
            r"\bsecure ?boot\b|安全启动",
            (
                r"\b(?:enabled|turned on|is on|was on|on by default|disabled it|disabling"
                r"|to be enabled)\b|开启|打开|启用|关闭|关掉"
            ),
        ),
    ),
    ("prose.mps_unused", (rf"\b{_NOT}\b[^,]{{0,30}}\b{_SEE}\b[^,]{{0,30}}\b(?:mps|metal)\b",)),
    (
        "prose.mps_unused",
        (
            (
                r"(?:无法|不能|没法)[^\uff0c]{0,8}(?:调用|使用|检测|识别|用)[^\uff0c]{0,6}mps"
                r"|mps[^\uff0c]{0,8}(?:不可用|无法使用|用不了)"
            ),
        ),
    ),
    (
        "prose.driver_old",
        (
            r"\bdrivers?\b",
            r"\bnvidia\b|\bgpu\b|\bcuda\b|\bgraphics?\b",
            (
                r"\b(?:too old|outdated|out of date|is not supported|isn't supported|unsupported"
                r"|very old|older than"
                r"|does ?n[o']t support|not support)\b"
            ),
        ),
    ),
    (
        "prose.driver_old",
        (
            r"\b(?:driver|card|gpu|server|machine|cluster|workstation|nvidia-smi|admin\w{0,8}|computer)\b",
            (
                r"\b(?:only|at most|up to|max\w{0,4}|no more than"
                r"|highest)\b[^,]{0,30}\bcuda ?(?:version )?\d{1,2}(?:\.\d)?\b"
            ),
        ),
    ),
    ("prose.driver_old", (r"驱动[^\uff0c]{0,12}(?:太旧|过旧|太低|过低|较低|版本低|太老|不支持|不够新)",)),
    (
        "prose.driver_old",
        (r"(?:驱动|显卡|机器|服务器|电脑)[^\uff0c]{0,12}(?:最高|最多|只能?)(?:支持)?[^\uff0c]{0,6}cuda ?\d",),
    ),
    (
        "prose.slow_download",
        (
            r"\b(?:download\w{0,4}|pip|conda|wheels?|install\w{0,5}|mirror)\b|下载|镜像|安装",
            (
                r"\b(?:(?:too|so|very|extremely|really|quite|super|is|are|both|be) (?:two )?slow"
                r"|slow (?:speed|for|download)"
                r"|slowly|tim(?:e|es|ed|ing) ?-?out|\d{1,4} ?kb?(?:/s|ps)|kb per)"
                r"|[很太好异常非]{1,3}慢|慢得|速度[^\uff0c]{0,6}慢|几[百十]? ?kb?|\d ?kb?/s|超时"
            ),
        ),
    ),
    (
        "prose.build_changed",
        (
            (
                r"\b(?:updat|upgrad|install|reinstall|launcher|script|bat file|requirements"
                r"|--upgrade)\w{0,4}\b|更新|升级|安装"
            ),
            (
                r"\bfrom (?:the )?(?:gpu|cuda) (?:version )?to (?:the )?cpu\b|\b(?:turn|chang|switch"
                r"|revert|downgrad|replac"
                r"|overwr|went|go|goes|going|gone|back|swap|mov)\w{0,5}\b[^,]{0,50}\bcpu\b|(?:变成"
                r"|变回|替换|覆盖|换成)[^\uff0c]{0,10}cpu"
                r"|\b(?:py)?torch (?:\w+ ){0,2}(?:to|with|without) (?:no |non[- ]?)?cuda\b"
                r"|\b(?:disabl|broke|break|remov|lost|los)\w{0,4}\b[^,]{0,12}\b(?:py)?torch cuda\b"
            ),
        ),
    ),
    (
        "prose.after_update",
        (
            (
                r"\b(?:after|since|just|every|each|once)\b[^,]{0,24}\b(?:updat|upgrad)\w{1,3}\b"
                r"|(?:每次|一|刚|自从)?(?:更新|升级)[^\uff0c]{0,6}(?:后|之后|完|就)"
            ),
        ),
    ),
    (
        "prose.wish",
        (
            (
                r"\b(?:would|will) it be (?:possible|great|nice|good)|\bis it possible\b|\bfeature request"
                r"|\b(?:please|can you|could you|would you|plans? to|possible to) (?:add|support"
                r"|implement|provide)"
                r"|\bsupports? (?:gpu|cpu|mps)|功能请求|希望(?:能)?(?:支持|增加|添加)|请求(?:支持|提供|增加)"
            ),
        ),
    ),
    (
        "prose.one_part_fails",
        (
            r"\b(?:most|other (?!api call)|others|rest|everything else|all else|only (?:this|one|the))\b",
            r"\b(?:works?|fine|runs?|ok|fails?|error|throws?)\b",
        ),
    ),
    (
        "prose.notebook_fails",
        (
            r"\b(?:jupyter|juypter|notebook|jupyterlab|ipynb|colab|vs ?code)\b|笔记本内核",
            rf"\b{_NOT}\b[^,]{{0,20}}\b(?:work|import|find|load|run)|\bfails?\b|报错|找不到|无法|不能",
        ),
    ),
    (
        "prose.asks",
        (
            (
                r"\b(?:how (?:can|do|should|to)|why|help|solve|fix|problem|issue|wrong|what should"
                r"|any idea|trouble|but)\b"
                r"|\b(?:too|so|very) slow\b|[这太很]么?慢|不应该|应该不会"
                r"|怎么|为什么|为啥|如何|问题|求|请问|咋|解决|但|能否|是否|原因"
            ),
        ),
    ),
)
