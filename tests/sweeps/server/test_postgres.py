"""The same pages and the same API on PostgreSQL."""

from __future__ import annotations

from studies.database.open_database import connect
from tests.postgres import new_postgres_database
from tests.studies.sample import sample_study
from tests.sweeps.server.conftest import new_client

STUDY = "/studies/sample-tradeoff"


def test_a_postgresql_database_is_read_selected_paged_and_annotated(postgres_url: str) -> None:
    url = new_postgres_database(postgres_url, "hnet_served")
    engine = connect(url, create=True)
    sample_study(engine, n_trials=12, seeds=2, n_tasks=3)
    engine.dispose()
    with new_client(url) as client:  # type: ignore[arg-type]
        for address in ("/", STUDY, f"{STUDY}?where=compression_ratio<0.5&zoom=1", f"{STUDY}/trials/0", "/database"):
            found = client.get(address)
            assert found.status_code == 200, found.text
        version = client.get(STUDY).headers["etag"]
        page = client.get(f"/api/v1{STUDY}/trials?sort=-final_accuracy&limit=5").json()
        rest = client.get(page["next"]).json()
        numbers = [row["number"] for row in (*page["rows"], *rest["rows"])]
        whole = client.get(f"/api/v1{STUDY}/trials?sort=-final_accuracy").json()["rows"]
        assert numbers == [row["number"] for row in whole][: len(numbers)]
        assert client.post(f"/api/v1{STUDY}/note", json={"text": "noted"}).status_code == 200
        assert client.get(STUDY).headers["etag"] != version
        assert "PostgreSQL" in client.get("/database").text
