# Installs the wheels of this folder into a new virtual environment:
#   powershell -ExecutionPolicy Bypass -File install.ps1 [ENV] [-Digest sha256:HEX] [-AllowedSigners FILE]
# -Python names the interpreter to use; without it, the first of py, python and python3 that runs.
[CmdletBinding(PositionalBinding = $false)]
param(
    [Parameter(Position = 0)][string]$Environment = ".venv",
    [string]$Python = "",
    [string]$Digest = "",
    [string]$AllowedSigners = ""
)
# What pip writes to stderr is no error of this script's, and a status that is not 0 is handed on, not thrown.
$ErrorActionPreference = "Continue"
$PSNativeCommandUseErrorActionPreference = $false

# A name is not enough: Windows has a python.exe that only leads to its store, and py may have no Python to start.
function Test-Python([string]$Name) {
    try {
        & $Name --version *> $null
        return ($LASTEXITCODE -eq 0)
    }
    catch {
        return $false
    }
}

if ($Python) {
    if (-not (Test-Python $Python)) {
        Write-Host "error: $Python cannot be run"
        Write-Host "  fix: name another one: install.ps1 -Python C:\path\python.exe"
        exit 1
    }
}
else {
    foreach ($name in @("py", "python", "python3")) {
        if (Test-Python $name) {
            $Python = $name
            break
        }
    }
}
if (-not $Python) {
    Write-Host "error: there is no Python here"
    Write-Host "  fix: install it from python.org, or name it: install.ps1 -Python C:\path\python.exe"
    exit 1
}
# A backslash before the closing quote would take that quote into the name.
$folder = $Environment -replace '(?<=[^:\\/"])[\\/"]+$', ""
$given = @($folder)
if ($Digest) { $given += @("--digest", $Digest) }
if ($AllowedSigners) { $given += @("--allowed-signers", $AllowedSigners) }
& $Python (Join-Path $PSScriptRoot "install.py") @given
exit $LASTEXITCODE
