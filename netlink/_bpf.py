"""Program: classic BPF under construction, and its instructions.

Jumps go to labels, and a jump that does not fit 8 bits becomes a BPF_JA. This file knows nothing of
messages: netlink/filter.py says what a program loads and compares. It is apart so that the rules of
the kernel (net/core/filter.c:bpf_check_classic) have one place.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

MAX_INSTRUCTIONS = 4096  # BPF_MAXINSNS
REACH = 128  # values, all of whose jumps fit 8 bits

# linux/bpf_common.h. B, H and W are the sizes of a load; ABS loads at k, IND at X + k.
LOAD_ABS = {1: 0x30, 2: 0x28, 4: 0x20}
LOAD_IND = {1: 0x50, 2: 0x48, 4: 0x40}
LD_IMM, LD_LEN, LDX_IMM, LDX_MEM, ST, TAX, RET = 0x00, 0x80, 0x01, 0x61, 0x02, 0x07, 0x06
AND, XOR, LSH, OR_X, SUB_X = 0x54, 0xA4, 0x64, 0x4C, 0x1C
JA, JEQ, JGT, JGE, JSET = 0x05, 0x15, 0x25, 0x35, 0x45
SKF_AD_OFF = 0xFFFFF000  # -0x1000
NLATTR, NLATTR_NEST = SKF_AD_OFF + 12, SKF_AD_OFF + 16
PASS = 0xFFFFFFFF  # the whole datagram


class Label:
    """A place in a program that instructions before it jump to."""

    __slots__ = ("at",)

    def __init__(self) -> None:
        self.at = -1


class Jump(NamedTuple):
    """A jump that compares A with k, and its targets."""

    code: int
    k: int
    yes: Label
    no: Label


Line = tuple[int, int] | Jump | Label


class Program:
    """Instructions under construction. Values are compared in the byte order of the wire."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def put(self, code: int, k: int = 0) -> None:
        """Append an instruction."""
        self.lines.append((code, k))

    def jump(self, code: int, k: int, yes: Label, no: Label) -> None:
        """Append a conditional jump."""
        self.lines.append(Jump(code, k, yes, no))

    def mark(self, label: Label) -> None:
        """Give a label its place."""
        self.lines.append(label)

    def goto(self, label: Label) -> None:
        """Append an unconditional jump."""
        self.lines.append(Jump(JA, 0, label, label))

    def search(self, values: list[int], found: dict[int, Label] | Label, no: Label) -> None:
        """Jump to the label of the value in A. The values are sorted."""
        if isinstance(found, Label) and REACH // 2 < len(values) <= REACH:
            # Short jumps to two long ones: otherwise each jump would need three instructions.
            near_yes, near_no = Label(), Label()
            self._search(values, near_yes, near_no)
            self.mark(near_yes)
            self.goto(found)
            self.mark(near_no)
            self.goto(no)
        else:
            self._search(values, found, no)

    def _search(self, values: list[int], found: dict[int, Label] | Label, no: Label) -> None:
        if len(values) > 3:
            middle = len(values) // 2
            low, high = Label(), Label()
            self.jump(JGE, values[middle], high, low)
            self.mark(low)
            self.search(values[:middle], found, no)
            self.mark(high)
            self.search(values[middle:], found, no)
            return
        for place, value in enumerate(values):
            target = found if isinstance(found, Label) else found[value]
            following = no if place == len(values) - 1 else Label()
            self.jump(JEQ, value, target, following)
            if following is not no:
                self.mark(following)

    def assemble(self) -> bytes:
        """Return the program as an array of struct sock_filter. Raises ValueError if too long."""
        lines = self.lines
        far: set[int] = set()  # conditional jumps that need BPF_JA
        while True:
            at = 0
            for place, line in enumerate(lines):
                if isinstance(line, Label):
                    line.at = at
                elif isinstance(line, Jump) and line.code == JA:
                    following = lines[place + 1] if place + 1 < len(lines) else None
                    at += following is not line.yes
                else:
                    at += 3 if place in far else 1
            grown = False
            at = 0
            code: list[bytes] = []
            for place, line in enumerate(lines):
                if isinstance(line, Label):
                    continue
                if not isinstance(line, Jump):
                    code.append(instruction(line[0], line[1]))
                elif line.code == JA:
                    if lines[place + 1] is not line.yes:
                        code.append(instruction(JA, line.yes.at - len(code) - 1))
                elif place in far:
                    code.append(instruction(line.code, line.k, 0, 1))
                    code.append(instruction(JA, line.yes.at - len(code) - 1))
                    code.append(instruction(JA, line.no.at - len(code) - 1))
                else:
                    yes, no = (target.at - len(code) - 1 for target in (line.yes, line.no))
                    if max(yes, no) > 255:
                        far.add(place)
                        grown = True
                        yes = no = 0
                    code.append(instruction(line.code, line.k, yes, no))
            if not grown:
                break
        if len(code) > MAX_INSTRUCTIONS:
            raise ValueError(
                f"the filter needs {len(code)} instructions, and the kernel accepts "
                f"{MAX_INSTRUCTIONS}: use fewer or shorter values"
            )
        return b"".join(code)


def instruction(code: int, k: int, yes: int = 0, no: int = 0) -> bytes:
    """Return a struct sock_filter."""
    return struct.pack("=HBBI", code, yes, no, k)


def loads(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Divide bytes into loads: (offset, size, value)."""
    at = 0
    while at < len(data):
        left = len(data) - at
        size = 4 if left >= 4 else 2 if left >= 2 else 1
        yield at, size, int.from_bytes(data[at : at + size], "big")
        at += size
