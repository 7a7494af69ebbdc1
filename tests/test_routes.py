"""The route table: templates that answer each other's requests, and a project's routes joined over files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pitfall_lint import catalog, libraries
from pitfall_lint.semantic import hollow, table
from pitfall_lint.semantic.project import Project
from pitfall_lint.semantic.templates import below, covers, template


@pytest.mark.parametrize(
    ("first", "second", "answers"),
    [
        ("/items/{id}", "/items/mine", True),
        ("/items/{id}", "/items/{name:int}", True),
        ("/items/{id:int}", "/items/mine", False),
        ("/items/{id:int}", "/items/7", True),
        ("/items/{id}", "/items/a/b", False),
        ("/items/{id}", "/items/", False),
        ("/items/{id}", "/items/{rest:path}", False),
        ("/items/{rest:path}", "/items/a/{id}", True),
        ("/items/{rest:path}", "/items", False),
        ("/{a}/{b}", "/items/{id}", True),
        ("/items/{id}", "/{a}/{b}", False),
        ("/{name}.json", "/all.json", False),
        ("/{name}", "/{file}.json", True),
        ("/{id:custom}", "/mine", False),
        (r"/{id:\d{2,3}}", "/22", False),
    ],
)
def test_which_path_answers_for_which(first: str, second: str, answers: bool) -> None:
    left, right = template(first, "braces"), template(second, "braces")
    assert left is not None
    assert right is not None
    assert covers(left, right) is answers


def test_a_mount_answers_for_all_below_it() -> None:
    mounts = {text: below(template(text, "braces") or ()) for text in ("", "/", "/api", "/api/")}
    for text, answered in (("/x", ("", "/")), ("/api", ("", "/")), ("/api/x", ("", "/", "/api", "/api/"))):
        path = template(text, "braces") or ()
        assert tuple(mount for mount in mounts if covers(mounts[mount], path)) == answered


def test_styles_of_parameters() -> None:
    assert template("/a/<int:x>", "angles") == template("/a/{y:int}", "braces") == template(r"^/a/(\d+)$", "groups")
    assert template(r"/a/([^/]+)", "groups") == template("/a/<name>", "angles")
    assert template(r"/a/(?P<rest>.*)", "groups") == template("/a/{rest:path}", "braces")
    assert template(r"/a/(x|y)", "groups") is None


APPLICATION = """
from fastapi import APIRouter, FastAPI
from starlette.routing import Mount, Route
from items import router as items
import users

app = FastAPI(routes=[Route("/listed", print), Mount("/inner", routes=[Route("/deep", print)])])
app.include_router(items, prefix="/api")
app.include_router(users.make("/users"))
app.add_api_route("/made", print, methods=["POST", "PUT"])

@app.websocket("/live")
async def live(socket):
    first = 1
    second = 2
    third = 3
    return [
        first,
        second,
        third,
        first,
        second,
        third,
        first,
        second,
    ]
"""
ITEMS = """
from fastapi import APIRouter
router = APIRouter(prefix="/items")

@router.get("/{id}")
def item(id): ...

@router.api_route("", methods=["GET", "DELETE"])
def items(): ...
"""
USERS = """
from fastapi import APIRouter

def make(prefix):
    return APIRouter(prefix=prefix)

def unused(router: APIRouter):
    router.add_api_route("/open", print)
"""


def test_the_table_is_joined_over_files(tmp_path: Path) -> None:
    for name, text in (("app.py", APPLICATION), ("items.py", ITEMS), ("users.py", USERS)):
        (tmp_path / name).write_text(text)
    rows = libraries.load(catalog.library_files())
    wanted = hollow.speaks_of_routes(rows)
    emptied: list[bytes] = []

    def read(path: str) -> bytes:
        emptied.append(hollow.hollow(Path(path).read_bytes(), wanted))
        return emptied[-1]

    project = Project(rows, root=str(tmp_path), read=read)
    files = [file for path in sorted(tmp_path.glob("*.py")) if (file := project.open(str(path))) is not None]
    assert [(entry.path, entry.methods or entry.kind) for entry in table.table(files)] == [
        ("/api/items", "DELETE,GET"),
        ("/api/items/{id}", "GET"),
        ("/inner", "mount"),
        ("/inner/deep", "route"),
        ("/listed", "route"),
        ("/live", "websocket"),
        ("/made", "POST,PUT"),
        ("/open", "route"),
    ]
    assert any(b"    ...\n" in text and b"third" not in text for text in emptied)


LOOPS = """
import api
from api import extras
from api.groups import router as groups
from fastapi import APIRouter, FastAPI

CACHE = {}
ROUTERS = (api.users.router, extras.router)


def create_api(health="/health") -> FastAPI:
    if health in CACHE:
        return CACHE[health]
    made = FastAPI()

    @made.get(health)
    def alive(): ...

    for router in ROUTERS:
        made.include_router(router, tags=["all"])
    for _, router in [("a", APIRouter(prefix="/a", routes=[])), ("groups", groups)]:
        made.include_router(router, prefix="/grouped")
    CACHE[health] = made
    return made


def create():
    app = FastAPI()
    inner = create_api()

    @inner.get("/metrics")
    def metrics(): ...

    app.mount("/api", app=inner)
    return app
"""
ROUTER = """
from fastapi import APIRouter

router = APIRouter(prefix="/{path}")


@router.get("/{{id}}")
def one(id): ...
"""


def test_the_table_knows_loops_and_functions_that_make_applications(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "app.py").write_text(LOOPS)
    for name in ("__init__", "users", "extras", "groups"):
        text = "" if name == "__init__" else ROUTER.format(path=name)
        (tmp_path / "api" / f"{name}.py").write_text(text)
    project = Project(libraries.load(catalog.library_files()), root=str(tmp_path))
    paths = [tmp_path / "app.py", *sorted((tmp_path / "api").glob("*.py"))]
    files = [file for path in paths if (file := project.open(str(path))) is not None]
    found = {entry.path for entry in table.table(files)}
    assert found >= {
        "/api",
        "/api/health",
        "/api/metrics",
        "/api/users/{id}",
        "/api/extras/{id}",
        "/api/grouped/groups/{id}",
    }
    assert not {"/users/{id}", "/extras/{id}", "/metrics", "/health"} & found
