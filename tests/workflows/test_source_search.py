"""Where a package without a wheel is looked for."""

from __future__ import annotations

import sys
from pathlib import Path

from packaging.specifiers import SpecifierSet

from torchdoctor.lock.model import LockRequest
from torchdoctor.sources import Source, Sources
from torchdoctor.workflows.source_search import SourceSearch


def test_a_page_is_read_once_whatever_is_asked_of_it(index):
    """Other limits are other questions about the same links."""
    index.add("/simple/only/", "only-1.0.tar.gz", b"")
    index.add("/simple/only/", "only-2.0-py3-none-any.whl", b"")
    place = Source(name="here", url=f"{index.url}/simple", layout="simple", origin="a test")
    request = LockRequest(
        python=Path(sys.executable),
        sources=Sources(torch=(), indexes=(), default_index=place, find_links=()),
        environ={},
    )
    search = SourceSearch(request=request)
    search.read_ahead(["only"])
    assert [search.has_wheel("only", SpecifierSet(limit)) for limit in ("", "<2")] == [True, False]
    assert str(search.sdist("only", SpecifierSet("<2")).version) == "1.0"
    assert index.seen == ["/simple/only/"]
