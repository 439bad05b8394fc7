from sandbox.prompt import MediaPart, read_prompt


def test_a_plain_string_is_one_turn_of_the_user() -> None:
    prompt = read_prompt({"input": "hello", "instructions": "be brief"})
    assert (prompt.turns, prompt.last_user_text, prompt.texts) == (1, "hello", ("be brief", "hello"))


def test_turns_texts_media_and_tool_results_are_found_in_order() -> None:
    given = [
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "one"}, {"type": "input_image", "image_url": "u1"}],
        },
        {"role": "assistant", "content": [{"type": "output_text", "text": "two"}]},
        {"type": "message", "role": "user", "content": "three"},
        {"type": "function_call", "call_id": "c1", "name": "n", "arguments": "{}"},
        {
            "type": "function_call_output",
            "call_id": "c1",
            "output": [{"type": "input_text", "text": "4"}, {"type": "input_video", "video_url": "u2", "fps": 2}],
        },
    ]
    prompt = read_prompt({"input": given})
    assert (prompt.turns, prompt.last_user_text) == (3, "three")
    assert prompt.texts == ("one", "two", "three", "{}", "4")
    assert prompt.media == (MediaPart(kind="image", source="u1"), MediaPart(kind="video", source="u2", fps=2.0))
    assert prompt.tool_results == (("c1", "4"),)
    assert prompt.ends_with_tool_result


def test_a_file_is_taken_from_its_data_its_url_or_the_id_of_one_that_is_kept() -> None:
    content = [
        {"type": "input_file", "file_data": "data:text/plain;base64,YQ==", "filename": "a.txt"},
        {"type": "input_file", "file_url": "http://127.0.0.1/a.txt"},
        {"type": "input_file", "file_id": "file-1"},
    ]
    media = read_prompt({"input": [{"role": "user", "content": content}]}).media
    sources = ["data:text/plain;base64,YQ==", "http://127.0.0.1/a.txt", "file_id:file-1"]
    assert [part.source for part in media] == sources
    assert [part.filename for part in media] == ["a.txt", None, None]


def test_fields_of_another_medium_are_left_alone() -> None:
    picture = {"type": "input_image", "image_url": "http://u", "fps": "fast", "file_data": 3, "filename": []}
    assert read_prompt({"input": [{"role": "user", "content": [picture]}]}).media == (
        MediaPart(kind="image", source="http://u"),
    )


def test_what_cannot_be_read_here_is_named_once() -> None:
    smell = {"type": "input_smell", "text": ["unchecked"]}
    given = [
        {"role": "user", "content": [smell, {"type": "input_text", "text": "hello"}, smell]},
        {"type": "web_search_call", "content": 3, "output": {}},
        {"id": "msg_1"},
    ]
    prompt = read_prompt({"input": given})
    assert prompt.passed_over == ("input_smell", "web_search_call", "item_reference")
    assert (prompt.turns, prompt.texts, prompt.media) == (1, ("hello",), ())


def test_earlier_reasoning_and_refusals_are_texts_too() -> None:
    given = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "one"}], "content": None},
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "two"}]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "three"}]},
    ]
    assert read_prompt({"input": given}).texts == ("one", "two", "three")
