from schemas.error import ErrorSchema, FieldError, error_body, mistakes_body


def test_an_error_has_the_four_keys_of_the_protocol() -> None:
    assert error_body("no such job", type="invalid_request_error") == {
        "error": {"message": "no such job", "type": "invalid_request_error", "param": None, "code": None}
    }


def test_one_mistake_is_told_once() -> None:
    body = mistakes_body([FieldError(path="temperature", message="must be at most 2")])
    assert body == {
        "error": {
            "message": "temperature: must be at most 2",
            "type": "invalid_request_error",
            "param": "temperature",
            "code": None,
        }
    }
    assert ErrorSchema().load(body) == body


def test_several_mistakes_stand_beside_the_error() -> None:
    body = mistakes_body(
        [FieldError(path="", message="is odd"), FieldError(path="a[0]", message="is even")], code="invalid_value"
    )
    assert body["error"] == {
        "message": "is odd (and 1 more, see errors)",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_value",
    }
    assert body["errors"] == [
        {"message": "is odd", "param": None, "code": "invalid_value"},
        {"message": "is even", "param": "a[0]", "code": "invalid_value"},
    ]
    assert ErrorSchema().load(body) == body
