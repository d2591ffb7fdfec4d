"""Makes small source distributions whose build needs nothing but themselves."""

from __future__ import annotations

import hashlib
import io
import tarfile

# A build backend of its own: it needs no network.
BACKEND = """\
import base64, hashlib, os, pathlib, zipfile


def build_wheel(folder, config_settings=None, metadata_directory=None):
    {code}
    name = "{name}-{version}-{tag}.whl"
    info = "{name}-{version}.dist-info"
    files = {{
        "{name}/__init__.py": "__version__ = '{version}'\\n",
        info + "/METADATA": "Metadata-Version: 2.1\\nName: {project}\\nVersion: {version}\\n{requires}",
        info + "/WHEEL": "Wheel-Version: 1.0\\nGenerator: tests\\nRoot-Is-Purelib: true\\nTag: {tag}\\n",
    }}
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += path + ",sha256=" + digest + "," + str(len(text.encode())) + "\\n"
    files[info + "/RECORD"] = record + info + "/RECORD,,\\n"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return name
"""


def make_sdist(
    project: str,
    version: str,
    *,
    tag: str = "py3-none-any",
    requires: tuple[str, ...] = (),
    build_requires: tuple[str, ...] = (),
    files: dict[str, str] | None = None,
    code: str = "",
    asks: tuple[str, ...] = (),
) -> tuple[str, bytes]:
    """The file name and the bytes; `code` runs in the build, `files` lie beside it.

    `asks` is what the backend asks for when it runs.
    """
    name = project.replace("-", "_")
    lines = "".join(f"Requires-Dist: {line}\\n" for line in requires)
    contents = {
        "pyproject.toml": f'[build-system]\nrequires = {list(build_requires)}\nbuild-backend = "backend"\n'
        'backend-path = ["."]\n',
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n",
        "backend.py": BACKEND.format(
            name=name,
            project=project,
            version=version,
            tag=tag,
            code=code or "pass",
            requires=lines,
        )
        + f"\n\ndef get_requires_for_build_wheel(config_settings=None):\n    return {list(asks)}\n",
        **(files or {}),
    }
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for path, text in contents.items():
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return f"{name}-{version}.tar.gz", made.getvalue()


def add_sdist(folder, project: str, version: str, **more) -> None:
    """Put it onto the page of its project in an index in `folder`."""
    filename, content = make_sdist(project, version, **more)
    page = folder / project
    page.mkdir(exist_ok=True)
    (page / filename).write_bytes(content)
    links = (
        f'<a href="{path.name}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}">x</a>'
        for path in page.glob("*.tar.gz")
    )
    (page / "index.html").write_text("".join(links), "utf-8")
