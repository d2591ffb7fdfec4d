"""Extensions that bring data to torch: sounds, words and batches come back as they went."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import importlib
import importlib.util
import io
import math
import wave
from array import array
from typing import Any

from ..message import sentence
from ..step import Outcome, passed
from .comparing import compare_tensor, compare_values

__all__ = ["torchcodec", "torchdata", "torchtext"]

_RATE = 16_000
_LOUDEST = 32_767


def torchcodec(torch: Any, _device: str) -> Outcome:
    """Decode a short sound in a WAV file, and where there is an encoder encode and decode it again."""
    decoders = importlib.import_module("torchcodec.decoders")
    if not hasattr(decoders, "AudioDecoder"):  # it came with 0.3
        return passed(sentence("{name} is loaded; this version decodes no sound", name="torchcodec"))
    samples = [
        round(_LOUDEST / 2 * math.sin(2 * math.pi * 440 * step / _RATE)) for step in range(_RATE // 10)
    ]
    wanted = torch.tensor(samples, dtype=torch.float64) / (_LOUDEST + 1)
    decoded = decoders.AudioDecoder(_wav(samples)).get_all_samples().data
    outcome = compare_tensor(torch, "AudioDecoder", decoded[0], wanted, 1e-4)
    if outcome.status != "pass" or importlib.util.find_spec("torchcodec.encoders") is None:
        return outcome
    encoder = importlib.import_module("torchcodec.encoders").AudioEncoder(decoded, sample_rate=_RATE)
    again = decoders.AudioDecoder(encoder.to_tensor(format="wav")).get_all_samples().data
    return compare_tensor(torch, "AudioEncoder", again[0], wanted, 1e-3)


def _wav(samples: list[int]) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(_RATE)
        writer.writeframes(array("h", samples).tobytes())
    return file.getvalue()


def torchtext(_torch: Any, _device: str) -> Outcome:
    """A vocabulary in compiled code: the most frequent word first."""
    build = importlib.import_module("torchtext.vocab").build_vocab_from_iterator
    vocabulary = build([["the", "cat", "the"]], specials=["<unk>"])
    vocabulary.set_default_index(0)
    return compare_values("Vocab", vocabulary(["the", "cat", "dog"]), [1, 2, 0])


def torchdata(_torch: Any, _device: str) -> Outcome:
    """Batches go on where a saved state says; before 0.8 there were datapipes instead."""
    if importlib.util.find_spec("torchdata.stateful_dataloader") is None:
        pipe = importlib.import_module("torchdata.datapipes.iter").IterableWrapper(range(4))
        return compare_values("IterableWrapper", list(pipe.map(lambda number: number * 2)), [0, 2, 4, 6])
    loader_of = importlib.import_module("torchdata.stateful_dataloader").StatefulDataLoader
    first = loader_of(range(6), batch_size=2, shuffle=False)
    iterator = iter(first)
    batches = [next(iterator).tolist()]
    second = loader_of(range(6), batch_size=2, shuffle=False)
    second.load_state_dict(first.state_dict())
    batches += [batch.tolist() for batch in second]
    return compare_values("StatefulDataLoader", batches, [[0, 1], [2, 3], [4, 5]])
