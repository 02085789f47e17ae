"""Which request is which operation."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emulator.contract.document import load_document
from emulator.contract.operations import operations
from emulator.contract.routing import Routes
from emulator.resources import CONTRACT_FILE, CONTROL_CONTRACT_FILE


def routes_of(*named: str) -> Routes:
    """Routes of operations written as `GET /a/{b}`, each of which is its own id."""
    paths: dict[str, dict[str, object]] = {}
    for name in named:
        method, path = name.split(" ")
        paths.setdefault(path, {})[method.lower()] = {"operationId": name}
    return Routes(operations({"paths": paths}).values())


def found(routes: Routes, method: str, path: str) -> tuple[str | None, dict[str, str]]:
    operation, values, _ = routes.find(method, path)
    return (operation.operation_id if operation else None), values


def allowed(routes: Routes, method: str, path: str) -> set[str]:
    operation, _, methods = routes.find(method, path)
    assert operation is None
    return methods


ABORT = "POST /run/abort/{id}"
STATUS = "GET /run/{id}/status"
RECORD = "GET /run/{id}"
START = "POST /run/start"
ROUTES = routes_of(ABORT, STATUS, RECORD, "DELETE /run/{id}", START)


def test_a_path_with_values_gives_them_by_name() -> None:
    routes = routes_of("GET /org/{org}/run/{run}")
    assert found(routes, "GET", "/org/acme/run/17") == (
        "GET /org/{org}/run/{run}",
        {"org": "acme", "run": "17"},
    )


@pytest.mark.parametrize(
    ("method", "path", "operation_id", "values"),
    [
        ("GET", "/run/abort/status", STATUS, {"id": "abort"}),
        ("POST", "/run/abort/status", ABORT, {"id": "status"}),
        ("POST", "/run/abort/17", ABORT, {"id": "17"}),
        ("GET", "/run/17/status", STATUS, {"id": "17"}),
        ("GET", "/run/start", RECORD, {"id": "start"}),
        ("POST", "/run/start", START, {}),
        ("DELETE", "/run/start", "DELETE /run/{id}", {"id": "start"}),
        ("GET", "/run/abort", RECORD, {"id": "abort"}),
    ],
)
def test_of_templates_that_overlap_the_one_that_has_the_method_answers(
    method: str, path: str, operation_id: str, values: dict[str, str]
) -> None:
    assert found(ROUTES, method, path) == (operation_id, values)


def test_of_templates_that_have_the_method_the_earlier_literal_part_wins_in_any_order_of_the_document() -> None:
    templates = ("GET /a/{x}/c", "GET /a/b/{x}", "GET /{x}/b/c", "GET /a/b/c")
    for order in itertools.permutations(templates):
        routes = routes_of(*order)
        assert found(routes, "GET", "/a/b/c") == ("GET /a/b/c", {})
        assert found(routes, "GET", "/a/b/d") == ("GET /a/b/{x}", {"x": "d"})
        assert found(routes, "GET", "/a/d/c") == ("GET /a/{x}/c", {"x": "d"})
        assert found(routes, "GET", "/d/b/c") == ("GET /{x}/b/c", {"x": "d"})
    without_exact = routes_of("GET /a/{x}/c", "GET /a/b/{x}", "GET /{x}/b/c")
    assert found(without_exact, "GET", "/a/b/c") == ("GET /a/b/{x}", {"x": "c"})


def test_one_template_may_name_its_value_otherwise_for_each_method() -> None:
    routes = routes_of("GET /run/{execution_id}", "DELETE /run/{id}")
    assert found(routes, "GET", "/run/17")[1] == {"execution_id": "17"}
    assert found(routes, "DELETE", "/run/17")[1] == {"id": "17"}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/run",
        "/run/",
        "/run/17/",
        "/run/17/status/",
        "//run/17",
        "/run//status",
        "/Run/17",
        "/run/1/2/3",
    ],
)
def test_a_path_that_fits_no_template_is_unknown(path: str) -> None:
    assert ROUTES.find("GET", path) == (None, {}, set())


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("a%2Fb", "a/b"),
        ("a%20b", "a b"),
        ("%61bc", "abc"),
        ("caf%C3%A9", "café"),
        ("%25", "%"),
        ("a+b", "a+b"),
        ("%FF", "\udcff"),
        ("%00", "\x00"),
        ("..", ".."),
        ("%", "%"),
    ],
)
def test_a_value_is_decoded_after_the_path_was_cut(raw: str, value: str) -> None:
    assert found(ROUTES, "GET", f"/run/{raw}") == (RECORD, {"id": value})


def test_an_encoded_slash_makes_no_new_part() -> None:
    assert found(ROUTES, "GET", "/run%2F17") == (None, {})
    assert found(ROUTES, "GET", "/run/17%2Fstatus") == (RECORD, {"id": "17/status"})


def test_head_is_answered_by_the_operation_of_get() -> None:
    assert found(ROUTES, "HEAD", "/run/17") == (RECORD, {"id": "17"})
    assert found(ROUTES, "HEAD", "/run/start") == (RECORD, {"id": "start"})
    assert allowed(routes_of(START), "HEAD", "/run/start") == {"POST"}


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/run/17", {"GET", "HEAD", "DELETE"}),
        ("/run/start", {"GET", "HEAD", "DELETE", "POST"}),
        ("/run/17/status", {"GET", "HEAD"}),
        ("/run/abort/17", {"POST"}),
        ("/run/abort/status", {"GET", "HEAD", "POST"}),
        ("/nowhere", set()),
    ],
)
def test_a_path_knows_the_methods_of_all_templates_that_fit(path: str, methods: set[str]) -> None:
    assert allowed(ROUTES, "PATCH", path) == methods
    assert allowed(ROUTES, "OPTIONS", path) == methods


def test_where_there_is_an_operation_no_other_methods_are_told() -> None:
    for method in ("GET", "DELETE", "POST"):
        assert ROUTES.find(method, "/run/start")[2] == set()


def test_every_operation_of_the_emulated_contract_is_found_by_its_own_path() -> None:
    known = operations(load_document(CONTRACT_FILE))
    routes = Routes(known.values())
    for operation in known.values():
        names = {name: f"value-{index}" for index, name in operation.path_names}
        path = operation.path.format_map(names)
        assert found(routes, operation.method, path) == (operation.operation_id, names)
    assert len(known) > 20
    base = "/api/v2/external/execution/streaming/abort"
    assert found(routes, "GET", f"{base}/status") == ("get_streaming_status", {"execution_id": "abort"})
    assert found(routes, "POST", f"{base}/status") == (
        "abort_streaming_execution",
        {"execution_id": "status"},
    )


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("/api/v2/external/workload/list", "/api/v2/external/workloads/list"),
        ("/api/v1/external/workloads/list", "/api/v2/external/workloads/list"),
        ("/workloads/list", "/api/v2/external/workloads/list"),
        ("/api/v2/external/workloads/list/", "/api/v2/external/workloads/list"),
        ("/api/v2/external/execution/17/metric", "/api/v2/external/execution/{execution_id}/metrics"),
        ("/machine-types", "/api/v2/external/machine-types"),
        ("/api/machine-types", "/api/v2/external/machine-types"),
        ("/api/v2/execution/streaming/start", "/api/v2/external/execution/streaming/start"),
        ("/api/v1/execution/streaming/start", "/api/v2/external/execution/streaming/start"),
        ("/api/v2/external//execution/streaming/start", "/api/v2/external/execution/streaming/start"),
        ("/api/v2/external/execution/streaming/strat", "/api/v2/external/execution/streaming/start"),
        ("/api/v2/external/execution//metrics", "/api/v2/external/execution/{execution_id}/metrics"),
        ("/execution/3f0e9c52-7c1b-5d0a-9a44-6f2b8d1e7c30", "/api/v2/external/execution/{execution_id}"),
        ("/api/v2/external/executions/5", "/api/v2/external/execution/{execution_id}"),
        ("/api/v2/external/foo", None),
        ("/docs", None),
        ("/", None),
        ("/favicon.ico", None),
        ("/v1/chat/completions", None),
    ],
)
def test_an_unknown_path_has_a_nearest_one_if_it_looks_like_one(path: str, nearest: str | None) -> None:
    routes = Routes(operations(load_document(CONTRACT_FILE)).values())
    assert routes.find("GET", path)[0] is None
    assert routes.nearest(path) == nearest


@example("/_emulator/notebooks/x//y")
@given(st.text(st.sampled_from("/{}%*_emulatorx"), max_size=30))
def test_any_path_can_be_asked_for_its_nearest(path: str) -> None:
    for contract in (CONTRACT_FILE, CONTROL_CONTRACT_FILE):
        routes = Routes(operations(load_document(contract)).values())
        near = routes.nearest(path)
        assert near is None or near in {operation.path for operation in operations(load_document(contract)).values()}
