"""The README's Python blocks run unchanged, and print the text block that follows them."""

from pathlib import Path

import pytest

from .blocks import Block, blocks

README = Path(__file__).parent.parent / "README.md"


@pytest.mark.parametrize("block", blocks(README), ids=lambda block: f"line-{block.line}")
def test_example(netns: None, block: Block) -> None:
    block.run({"__name__": "__main__"})
