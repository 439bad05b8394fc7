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


def test_file_data_becomes_a_data_uri_unless_it_is_one() -> None:
    content = [
        {"type": "input_file", "file_data": "YQ==", "filename": "a.txt"},
        {"type": "input_file", "file_data": "data:text/plain;base64,YQ=="},
        {"type": "input_file", "file_id": "file-1"},
    ]
    media = read_prompt({"input": [{"role": "user", "content": content}]}).media
    assert [part.source for part in media] == ["data:;base64,YQ==", "data:text/plain;base64,YQ==", "file_id:file-1"]
    assert media[0].filename == "a.txt"
