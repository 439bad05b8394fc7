"""/docs: the API's description for people, served whole from this process."""

from __future__ import annotations

from flask import Blueprint, Response, send_from_directory
from swagger_ui_bundle import swagger_ui_path

PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>respool: HTTP API</title>
  <link rel="stylesheet" href="docs/assets/swagger-ui.css">
  <link rel="icon" href="data:,">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="docs/assets/swagger-ui-bundle.js"></script>
  <script src="docs/start.js"></script>
</body>
</html>
"""

START = """window.ui = SwaggerUIBundle({
  url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null, persistAuthorization: false
});
"""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'"
)


def make_blueprint() -> Blueprint:
    views = Blueprint("docs", __name__)

    @views.get("/docs")
    def page() -> Response:
        return Response(PAGE, mimetype="text/html", headers={"Content-Security-Policy": POLICY})

    @views.get("/docs/start.js")
    def start() -> Response:
        return Response(START, mimetype="text/javascript")

    @views.get("/docs/assets/<path:name>")
    def asset(name: str) -> Response:
        answer = send_from_directory(swagger_ui_path, name, max_age=86400)
        answer.headers["Cache-Control"] = "public, max-age=86400"
        return answer

    return views
