"""What people write is shown as they wrote it."""

from __future__ import annotations

import pytest

from dashboard.plain import escaped


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("Score: 0.24 (95 %), at 12:30 - not more!", "Score: 0.24 (95 %), at 12:30 - not more!"),
        ("![leak](http://x/y.png)", "!\\[leak\\](http:\u2060//x/y.png)"),
        ("[a](javascript:b)", r"\[a\](javascript\:b)"),
        ("<b>$x$</b> `c` *d* _e_ ~f~", r"\<b\>\$x\$\</b\> \`c\` \*d\* \_e\_ \~f\~"),
        (":dog: :a:b: :red[x] :material/face:", r"\:dog\: \:a\:b\: \:red\[x\] \:material\/face\:"),
        ("# a\n- b\n12. c\n> d", "\\# a\n\\- b\n12\\. c\n\\> d"),
        ("&lt; & A&B", r"\&lt; & A&B"),
        ("\\", r"\\"),
    ],
)
def test_only_what_markdown_acts_upon_is_escaped(text: str, markdown: str) -> None:
    assert escaped(text) == markdown


@pytest.mark.parametrize(
    "text", [":streamlit:", "https://x.org", "WWW.x.org", "ann@lab.org", "mailto:ann@lab.org"]
)
def test_what_streamlit_acts_upon_though_it_is_escaped_is_kept_apart(text: str) -> None:
    shown = escaped(text).replace("\\", "")
    assert "\u2060" in shown
    assert shown.replace("\u2060", "") == text
