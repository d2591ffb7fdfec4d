"""Two languages in one process do not mix, and what a caller starts answers in the caller's language."""

from __future__ import annotations

import asyncio
import threading
from contextvars import copy_context

import pytest

from torchdoctor.core.i18n import catalog, current_language, set_language, set_program_language
from torchdoctor.core.i18n.catalog import gettext
from torchdoctor.core.system.background import BackgroundCall
from torchdoctor.core.threads import start_thread, thread_pool


@pytest.fixture(autouse=True)
def english(monkeypatch):
    """The program's language is English before and after."""
    monkeypatch.setattr(catalog, "_program_language", "en")


def _in_chinese(work):
    """What `work` returns where the language is Chinese."""

    def run():
        set_language("zh")
        return work()

    return copy_context().run(run)


def test_two_threads_answer_in_two_languages_at_once():
    """A server that uses the API: one request in Chinese leaves another one in English."""
    both, answers = threading.Barrier(2), {}

    def answer(language):
        set_language(language)
        both.wait(30)
        answers[language] = gettext("warning")
        both.wait(30)

    threads = [threading.Thread(target=answer, args=(language,)) for language in ("en", "zh")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == {"en": "warning", "zh": "警告"}


def test_two_tasks_answer_in_two_languages_at_once():
    """Of one event loop."""

    async def answer(language):
        set_language(language)
        await asyncio.sleep(0)
        return gettext("warning")

    async def both():
        return await asyncio.gather(answer("zh"), answer("en"))

    assert asyncio.run(both()) == ["警告", "warning"]


def test_threads_that_we_start_answer_in_the_callers_language():
    """One thread, a pool of them, and a call in the background."""

    def in_thread():
        seen = []
        start_thread(lambda: seen.append(current_language())).join(30)
        return seen[0]

    def in_pool():
        with thread_pool(2) as pool:
            return [*pool.map(lambda _: current_language(), range(2)), pool.submit(current_language).result()]

    assert _in_chinese(in_thread) == "zh"
    assert _in_chinese(in_pool) == ["zh"] * 3
    assert _in_chinese(lambda: BackgroundCall(current_language).result(30)) == "zh"
    assert current_language() == "en"


def test_the_programs_language_holds_wherever_no_other_is_set():
    """Also in threads of libraries, which know nothing of contexts: a terminal's bars."""
    seen = []
    set_program_language("zh")
    thread = threading.Thread(target=lambda: seen.append(current_language()))
    thread.start()
    thread.join(30)
    assert seen == ["zh"]
