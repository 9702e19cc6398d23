"""Target: YAML specs of families, read by netlink.ynl.

Any text is a family or a SpecError with a line. The classes of a family read empty bytes, and its
ops make requests, as those of hand-written families do.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from netlink import DecodeError, EncodeError, ynl
from netlink.family import Op
from tests.generated import CLASSES

from . import corpus

BASE_MEMORY = 16 << 20  # bytes: the classes of a family
MEMORY_PER_BYTE = 20_000  # a line of YAML may declare a class
FOLDER = corpus.ROOT.parent / "specs"
assert CLASSES  # made before any class of a spec, because all subclasses are found


def seeds(datagrams: list[bytes]) -> Iterator[bytes]:
    """Yield the specs of the tests, and short parts of them."""
    for path in sorted(FOLDER.glob("*.yaml")):
        yield path.read_bytes()
    for text in (ENUMS, NESTS):
        yield text.encode()


def run(data: bytes) -> None:
    """Load one spec."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ynl.SpecWarning)
            family = ynl.build(ynl.parse(data, "spec.yaml"))
    except ynl.SpecError as error:
        assert str(error).startswith("spec.yaml:"), error
        return
    assert repr(family)
    for op in family.ops.values():
        check_op(op)


def check_op(op: Op[..., Any, Any]) -> None:
    """Make a request, and read messages of the classes of an op."""
    try:
        request = op()
    except EncodeError:
        pass
    else:
        request.message.to_dict()
    for cls in {op.request, op.reply}:
        if cls is None:
            continue
        for size in (cls.__table__.header, 0):
            try:
                cls.from_bytes(bytes(size)).to_dict()
            except DecodeError as error:
                assert error.path is not None


ENUMS = """\
name: e
protocol: genetlink
definitions:
  - {type: enum, name: kind, entries: [one, two]}
  - {type: flags, name: bits, entries: [low, {name: high, value: 5}]}
attribute-sets:
  - name: main
    attributes:
      - {name: kind, type: u32, enum: kind}
      - {name: bits, type: u8, enum: bits, enum-as-flags: true}
      - {name: text, type: string, checks: {max-len: 15}}
operations:
  list:
    - name: get
      attribute-set: main
      do: {request: {attributes: [kind]}, reply: {attributes: [bits]}}
"""
NESTS = """\
name: n
protocol: genetlink
attribute-sets:
  - name: main
    attributes:
      - {name: self, type: nest, nested-attributes: main}
      - {name: many, type: nest, nested-attributes: main, multi-attr: true}
      - {name: pad, type: pad}
operations:
  list:
    - {name: get, attribute-set: main, dump: {reply: {attributes: [self, many]}}}
"""
