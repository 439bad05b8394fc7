import pytest

from schemas.file_name import is_file_name


@pytest.mark.parametrize(
    "name",
    [
        "a", "x" * 255, ".", "../../x", "файл.txt", "Screenshot 9.41.03\u202fAM.png", "a\u00a0b",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467.png", "\u200fשלום.txt", "\U0001fa8f.mp4", "a\ue000",
    ],
)  # fmt: skip
def test_a_file_may_be_called_so(name: str) -> None:
    assert is_file_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * 256,
        "a\nb",
        "a\rb",
        "a\0",
        "a\x7f",
        "a\x85",
        "a\u2028b",
        "a\u2029",
        "a\u202egpj.exe",
        "a\u2067b",
        "\ud800",
    ],
)
def test_a_file_may_not_be_called_so(name: str) -> None:
    assert not is_file_name(name)
