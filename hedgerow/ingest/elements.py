"""The element that was clicked, and those around it, as one line of text.

    a.button.primary:attr__href="/buy"href="/buy"nth-child="2"text="Buy";div:nth-child="1"

Innermost first, ``;`` between elements. Newer SDKs send this themselves; older ones send a
list of objects, which ``chain`` writes the same way.
"""

from typing import Any

MOST = 100
"""Elements taken from a list; pages nest less deeply."""


def chain(elements: list[Any]) -> str:
    """Return a list of elements as ``$elements_chain``; what is no object is left out."""
    return ";".join(_element(one) for one in elements[:MOST] if isinstance(one, dict))


def _element(element: dict[str, Any]) -> str:
    tag = str(element.get("tag_name") or "")
    classes = "".join(f".{one.replace(chr(34), '')}" for one in sorted(_classes(element)))
    attributes = {
        name: value
        for name, value in element.items()
        if name.startswith("attr__") and value is not None
    }
    for name, key in (("href", "attr__href"), ("attr_id", "attr__id")):
        if element.get(key) is not None:
            attributes[name] = element[key]
    for name, key in (("nth-child", "nth_child"), ("nth-of-type", "nth_of_type")):
        attributes[name] = element.get(key) or 0
    if element.get("$el_text") is not None:
        attributes["text"] = element["$el_text"]
    listed = "".join(
        f'{name}="{_quoted(value)}"' for name, value in sorted(attributes.items())
    )
    return f"{tag}{classes}:{listed}"


def _classes(element: dict[str, Any]) -> list[str]:
    given = element.get("classes")
    if isinstance(given, list):
        return [str(one) for one in given if one]
    text = element.get("attr__class")
    return text.split() if isinstance(text, str) else []


def _quoted(value: Any) -> str:
    return str(value).replace('"', '\\"')
