"""Text of peers, made harmless for a terminal, and for a model that reads as one does.

What a terminal would obey or hide is shown instead: control characters and escape sequences,
characters that turn the direction of reading or join letters invisibly, and the tag block, in which
whole sentences can hide. The same characters as in `ipc` (protocol/src/safe.rs).
"""

import re

_HIDDEN = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"
    "\u00ad"  # soft hyphen
    "\u034f"  # combining grapheme joiner
    "\u061c"  # Arabic letter mark
    "\u115f\u1160\u3164\uffa0"  # Hangul fillers: blank letters
    "\u17b4\u17b5"  # Khmer inherent vowels, never shown
    "\u180b-\u180f"  # Mongolian variation selectors and separator
    "\u200b-\u200f"  # zero width, and marks of direction
    "\u2028\u2029"  # line and paragraph separators
    "\u202a-\u202e"  # embeddings and overrides of direction
    "\u2060-\u206f"  # joiners, invisible operators, isolates
    "\ud800-\udfff"  # half of a pair: what a file name may hold
    "\ufe00-\ufe0f"  # variation selectors
    "\ufeff"  # byte order mark
    "\ufff9-\ufffb"  # interlinear annotation
    "\U0001d173-\U0001d17a"  # musical controls
    "\U000e0000-\U000e0fff"  # tags, more variation selectors, and what is ignored
    "]"
)


def line(text: str) -> str:
    """``text`` on one line: it can begin no other."""
    return _HIDDEN.sub(_shown, text)


def block(text: str) -> str:
    """``text`` on several lines: newline and tab stay."""
    return _HIDDEN.sub(lambda match: match[0] if match[0] in "\n\t" else _shown(match), text)


def indented(text: str, indent: str) -> str:
    """`block`, with every line but the first behind ``indent``: no line of a text can stand where a head
    stands, so no text can pass for another message."""
    return block(text).replace("\n", "\n" + indent)


def _shown(match: "re.Match[str]") -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 0xA0 else f"⟨U+{number:04X}⟩"
