# Installs the wheels of this folder into a new virtual environment:
#   powershell -ExecutionPolicy Bypass -File install.ps1 [ENV]
# -Python names the interpreter to use; without it, py or python of PATH.
param([string]$Environment = ".venv", [string]$Python = "")
$ErrorActionPreference = "Stop"
if (-not $Python) {
    foreach ($name in @("py", "python", "python3")) {
        if (Get-Command $name -ErrorAction SilentlyContinue) {
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
& $Python (Join-Path $PSScriptRoot "install.py") $Environment
exit $LASTEXITCODE
