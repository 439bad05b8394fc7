"""Fields that only some endpoints send but the Responses protocol types.

Another endpoint may use such a name for something else; a strict reader would then refuse the whole response.
"""

from collections.abc import Mapping
from typing import Any

from schemas.shape import fits

_words = frozenset
_moderation = (
    {
        "type": _words({"moderation_result"}),
        "model": str,
        "flagged": bool,
        "categories": {str: bool},
        "category_scores": {str: float},
        "category_applied_input_types": {str: [_words({"text", "image"})]},
    },
    {"type": _words({"error"}), "code": str, "message": str},
)
_image_tokens = {"image_tokens": int, "text_tokens": int}

EXTRAS: dict[str, Any] = {
    "user": str,
    "conversation": {"id": str},
    "prompt": {"id": str, "version?": str, "variables?": {str: str}},
    "prompt_cache_retention": _words({"in_memory", "24h"}),
    "prompt_cache_options": {
        "mode": _words({"implicit", "explicit"}),
        "ttl": _words({"30m", "12h"}),
        "comparison_response_id?": str,
    },
    "prompt_cache_diagnostics": (
        {"type": _words({"cache_hit", "comparison_response_not_found", "unavailable"})},
        {
            "type": _words({"cache_miss"}),
            "cache_missed_tokens": int,
            "comparison_reusable_tokens?": int,
            "reason": _words(
                {
                    "model_changed",
                    "prompt_cache_key_changed",
                    "tools_changed",
                    "text_format_changed",
                    "reasoning_effort_changed",
                    "verbosity_changed",
                    "context_compacted",
                    "input_changed",
                    "service_tier_changed",
                }
            ),
        },
    ),
    "tool_usage": {
        "web_search": {"num_requests": int},
        "image_gen": {
            "input_tokens": int,
            "input_tokens_details": _image_tokens,
            "output_tokens": int,
            "output_tokens_details?": _image_tokens,
            "total_tokens": int,
            "cached_tokens?": int,
            "cached_tokens_details?": {"cached_image_tokens": int, "cached_text_tokens": int},
        },
    },
    "moderation": {"input": _moderation, "output": _moderation},
    "access_programs": {"cyber": _words({"standard", "daybreak_blue", "daybreak_red"})},
    "image": {"context_compression": _words({"enabled", "disabled"})},
    "input_transformations": [
        {
            "id": str,
            "type": _words({"reasoning"}),
            "action": _words({"removed"}),
            "reason": _words(
                {
                    "organization_mismatch",
                    "end_user_mismatch",
                    "model_mismatch",
                    "prefix_mismatch",
                    "turn_boundary",
                }
            ),
        }
    ],
}


def misfits(upstream: Mapping[str, Any]) -> dict[str, Any]:
    """The endpoint's fields whose name the protocol uses for a value of another shape."""
    return {
        name: found
        for name, found in upstream.items()
        if name in EXTRAS and found is not None and not fits(found, EXTRAS[name])
    }
