"""Mutations answer what became, or a refusal that the caller can act on."""

from typing import Any

import pytest

from tests.graphql.asking import Api, dataset, run_event

REFUSAL = """... on UserError { code message field } ... on NotFoundError { ref didYouMean } ... on ConflictError {
  expectedRevision actualRevision current { id ... on RegisteredModel { name revision } ... on Dataset { name } } }
  ... on AlreadyExistsError { existing { ... on RegisteredModel { name } } }"""
REGISTER = f"""mutation ($input: RegisterModelInput!) {{ registerModel(input: $input) {{ __typename
  ... on RegisterModelPayload {{ model {{ name description revision tags {{ key value }} stages {{ name exclusive order }} }} }}
  {REFUSAL.replace("... on NotFoundError { ref didYouMean } ", "").split("... on ConflictError")[0]}
  ... on AlreadyExistsError {{ existing {{ ... on RegisteredModel {{ name }} }} }} }} }}"""
VERSION = """mutation ($input: CreateModelVersionInput!) { createModelVersion(input: $input) { __typename
  ... on CreateModelVersionPayload { modelVersion { urn number version signature run { runId } trainedOn { version dataset { name } } } }
  ... on UserError { code message } ... on NotFoundError { ref didYouMean } } }"""
MOVE = """mutation ($input: TransitionStageInput!) { transitionStage(input: $input) { __typename
  ... on TransitionPayload { revision modelVersion { urn stage { name } }
    transition { id fromStage toStage transitionState comment requestedBy { name } archivedVersions { urn } modelVersion { urn } } }
  ... on UserError { code message } ... on NotFoundError { ref }
  ... on ConflictError { expectedRevision actualRevision current { ... on RegisteredModel { name revision } } } } }"""
ALIAS = """mutation ($input: SetAliasInput!) { setAlias(input: $input) { __typename
  ... on AliasPayload { model { name aliases { name } } alias { name version { urn } setBy { name } } previous { urn } }
  ... on ConflictError { expectedRevision actualRevision message } ... on UserError { code } } }"""
ENTITY = """__typename ... on EntityPayload { entity { urn displayName description archivedAt tags { key value } owners { name type } updatedAt } }
  ... on UserError { code message } ... on NotFoundError { ref didYouMean } ... on ConflictError { current { id } }"""


@pytest.fixture
def told(api: Api) -> Api:
    api.tell(
        run_event(
            "COMPLETE",
            "2026-01-01T00:00:00Z",
            "11111111-1111-4111-8111-111111111111",
            "train",
            inputs=[dataset("features", "a", "b")],
            outputs=[dataset("scores", "s")],
        )
    )
    return api


@pytest.fixture
def churn(told: Api) -> Api:
    told.ask(REGISTER, input={"name": "churn"})
    for _ in range(2):
        told.ask(VERSION, input={"model": "churn", "trainedOn": ["pg://db/features"]})
    return told


def test_a_model_is_registered_once(told: Api) -> None:
    given = {"name": "churn", "description": "Who leaves", "tags": [{"key": "team", "value": "ml"}, {"key": "pii"}],
             "stages": [{"name": "Try"}, {"name": "Live", "exclusive": True}]}  # fmt: skip
    model = told.ask(REGISTER, input=given)["registerModel"]["model"]
    assert model["tags"] == [{"key": "pii", "value": None}, {"key": "team", "value": "ml"}]
    assert [(s["name"], s["exclusive"]) for s in model["stages"]] == [("Try", False), ("Live", True)]
    again = told.ask(REGISTER, input={"name": "churn"})["registerModel"]
    assert (again["__typename"], again["code"]) == ("AlreadyExistsError", "ALREADY_EXISTS")
    assert again["existing"] == {"name": "churn"}
    wrong = told.ask(REGISTER, input={"name": ""})["registerModel"]
    assert (wrong["__typename"], wrong["code"]) == ("ValidationError", "INVALID")


def test_a_version_comes_from_a_run_or_from_datasets(churn: Api) -> None:
    made = churn.ask(
        VERSION,
        input={
            "model": "churn",
            "runId": "11111111-1111-4111-8111-111111111111",
            "signature": {"inputs": [1]},
            "idempotencyKey": "k",
        },
    )["createModelVersion"]["modelVersion"]
    assert (made["urn"], made["number"], made["version"]) == ("hw:model:churn@3", 3, "3")
    assert made["run"]["runId"] == "11111111-1111-4111-8111-111111111111"
    assert made["signature"] == {"inputs": [1]}
    first = churn.ask('{ modelVersion(model: "churn", version: "1") { trainedOn { dataset { name } } } }')
    assert [v["dataset"]["name"] for v in first["modelVersion"]["trainedOn"]] == ["features"]
    again = churn.ask(VERSION, input={"model": "churn", "idempotencyKey": "k"})["createModelVersion"]
    assert again["modelVersion"]["urn"] == made["urn"]
    missing = churn.ask(VERSION, input={"model": "chrun"})["createModelVersion"]
    assert missing["__typename"] == "NotFoundError"


def move(api: Api, **given: Any) -> Any:
    return api.ask(MOVE, input={"model": "churn", "version": "1", "toStage": "Production", **given})[
        "transitionStage"
    ]


def test_a_version_moves_and_the_move_is_told(churn: Api) -> None:
    done = move(churn, comment="good")
    assert done["modelVersion"] == {"urn": "hw:model:churn@1", "stage": {"name": "Production"}}
    told = done["transition"]
    assert (told["fromStage"], told["toStage"], told["transitionState"]) == (None, "Production", "APPLIED")
    assert (told["comment"], told["requestedBy"]["name"]) == ("good", "ada")
    later = move(churn, version="2", archiveExisting=True)
    assert [v["urn"] for v in later["transition"]["archivedVersions"]] == ["hw:model:churn@1"]
    standing = churn.ask(
        """{ modelsInStage(stage: "Production") { totalCount edges { node { urn } } }
             models { edges { node { latest(stage: "Production") { urn } inStage(stage: "Archived") { urn }
               versions(stage: "Production") { totalCount } } } }
             node: modelVersion(model: "churn", version: "Production") { transitions { totalCount edges { node { id } } } } }"""
    )
    assert [e["node"]["urn"] for e in standing["modelsInStage"]["edges"]] == ["hw:model:churn@2"]
    model = standing["models"]["edges"][0]["node"]
    assert model["latest"]["urn"] == "hw:model:churn@2"
    assert [v["urn"] for v in model["inStage"]] == ["hw:model:churn@1"]
    assert model["versions"]["totalCount"] == 1


def test_who_stood_where_is_known_of_every_moment(churn: Api) -> None:
    move(churn)
    at = churn.ask("{ models { edges { node { updatedAt } } } }")["models"]["edges"][0]["node"]["updatedAt"]
    move(churn, version="2", archiveExisting=True)
    query = (
        'query ($at: TimePoint) { modelsInStage(stage: "Production", asOf: $at) { edges { node { urn } } } }'
    )
    then = churn.ask(query, at=at)["modelsInStage"]["edges"]
    assert [e["node"]["urn"] for e in then] == ["hw:model:churn@1"]


def test_a_lost_race_tells_what_it_is_now(churn: Api) -> None:
    revision = churn.ask("{ models { edges { node { revision } } } }")["models"]["edges"][0]["node"][
        "revision"
    ]
    assert move(churn, expectedRevision=revision)["revision"] == revision + 1
    lost = move(churn, version="2", expectedRevision=revision)
    assert lost["__typename"] == "ConflictError"
    assert (lost["expectedRevision"], lost["actualRevision"]) == (revision, revision + 1)
    assert lost["current"] == {"name": "churn", "revision": revision + 1}


def test_an_alias_is_swapped_only_from_what_it_was(churn: Api) -> None:
    alias = {"model": "churn", "alias": "champion"}
    done = churn.ask(ALIAS, input={**alias, "version": "1"})["setAlias"]
    assert done["alias"] == {
        "name": "champion",
        "version": {"urn": "hw:model:churn@1"},
        "setBy": {"name": "ada"},
    }
    lost = churn.ask(ALIAS, input={**alias, "version": "2", "expectedVersion": "2"})["setAlias"]
    assert (lost["__typename"], lost["expectedRevision"], lost["actualRevision"]) == ("ConflictError", 2, 1)
    won = churn.ask(ALIAS, input={**alias, "version": "2", "expectedVersion": "1"})["setAlias"]
    assert won["previous"]["urn"] == "hw:model:churn@1"
    found = churn.ask('{ models { edges { node { alias(name: "champion") { aliasNames urn } } } } }')
    assert found["models"]["edges"][0]["node"]["alias"] == {
        "aliasNames": ["champion"],
        "urn": "hw:model:churn@2",
    }
    gone = churn.ask(ALIAS, input={**alias, "version": None})["setAlias"]
    assert gone["alias"] is None
    assert gone["model"]["aliases"] == []


def entity(api: Api, field: str, type_: str, **given: Any) -> Any:
    query = f"mutation ($input: {type_}!) {{ {field}(input: $input) {{ {ENTITY} }} }}"
    return api.ask(query, input={"ref": "pg://db/features", **given})[field]


def test_things_are_tagged_described_and_put_away(told: Api) -> None:
    tagged = entity(
        told, "tagEntity", "TagEntityInput", set=[{"key": "pii", "value": "high"}, {"key": "gold"}]
    )
    assert tagged["entity"]["tags"] == [{"key": "gold", "value": None}, {"key": "pii", "value": "high"}]
    less = entity(told, "tagEntity", "TagEntityInput", remove=["gold"])
    assert less["entity"]["tags"] == [{"key": "pii", "value": "high"}]
    given = {"description": "What the model sees", "owners": ["ml|TEAM", "ada"], "displayName": "Features"}
    updated = entity(told, "updateEntity", "UpdateEntityInput", **given)["entity"]
    assert (updated["displayName"], updated["description"]) == ("Features", "What the model sees")
    assert {"name": "ml", "type": "TEAM"} in updated["owners"]
    assert entity(told, "archive", "ArchiveInput", reason="old")["entity"]["archivedAt"]
    assert entity(told, "archive", "ArchiveInput", restore=True)["entity"]["archivedAt"] is None
    history = told.ask(
        """{ entity(ref: "pg://db/features") { history { totalCount edges { node { action actor { name kind } comment before after subject { urn } } } } } }"""
    )["entity"]["history"]
    assert history["totalCount"] == 5
    last, *_, first = (edge["node"] for edge in history["edges"])
    assert (first["action"], last["action"]) == ("curation.tag", "curation.archive")
    assert last["after"] == {"archived": False}
    assert last["subject"]["urn"] == "hw:dataset:pg://db/features"


def test_a_change_of_something_that_changed_meanwhile_is_refused(told: Api) -> None:
    lost = entity(
        told, "updateEntity", "UpdateEntityInput", description="x", expectedUpdatedAt="2020-01-01T00:00:00Z"
    )
    assert lost["__typename"] == "ConflictError"
    assert lost["current"]["id"]


def test_a_change_of_nothing_tells_what_was_perhaps_meant(told: Api) -> None:
    missing = entity(told, "tagEntity", "TagEntityInput", ref="pg://db/featurs", set=[{"key": "x"}])
    assert (missing["__typename"], missing["ref"]) == ("NotFoundError", "pg://db/featurs")
    assert "hw:dataset:pg://db/features" in missing["didYouMean"]


def test_notes_are_kept_newest_first(told: Api) -> None:
    annotate = """mutation ($body: String!) { annotate(input: {ref: "pg://db/features", body: $body}) { __typename
        ... on AnnotatePayload { annotation { id body author { name } subject { urn } } } ... on UserError { code } } }"""
    for body in ("first", "second"):
        note = told.ask(annotate, body=body)["annotate"]["annotation"]
        assert (note["body"], note["author"]["name"]) == (body, "ada")
        assert note["subject"]["urn"] == "hw:dataset:pg://db/features"
    notes = told.ask(
        '{ entity(ref: "pg://db/features") { annotations { totalCount edges { node { body } } } } }'
    )
    assert notes["entity"]["annotations"]["totalCount"] == 2
    assert [e["node"]["body"] for e in notes["entity"]["annotations"]["edges"]] == ["second", "first"]
    assert told.ask(annotate, body=" ")["annotate"]["__typename"] == "ValidationError"


def test_an_edge_is_drawn_by_hand_and_taken_back(told: Api) -> None:
    edge = """mutation ($remove: Boolean) { setManualEdge(input: {from: "pg://db/scores", to: "pg://db/features", kind: DERIVES,
        note: "by mail", remove: $remove}) { __typename ... on EntityPayload { entity { urn upstreamCount } } ... on UserError { message } } }"""
    drawn = told.ask(edge)["setManualEdge"]["entity"]
    assert drawn == {"urn": "hw:dataset:pg://db/features", "upstreamCount": 1}
    assert told.ask(edge, remove=True)["setManualEdge"]["entity"]["upstreamCount"] == 0
    wrong = told.ask(edge.replace("DERIVES", "DEPLOYS"))["setManualEdge"]
    assert wrong["__typename"] == "ValidationError"


def test_several_changes_of_one_request_see_each_other(told: Api) -> None:
    done = told.ask(
        """mutation { a: registerModel(input: {name: "m"}) { __typename }
             b: createModelVersion(input: {model: "m"}) { ... on CreateModelVersionPayload { modelVersion { model { revision } } } }
             c: createModelVersion(input: {model: "m"}) { ... on CreateModelVersionPayload { modelVersion { model { revision } } } } }"""
    )
    assert done["a"]["__typename"] == "RegisterModelPayload"
    revisions = [done[k]["modelVersion"]["model"]["revision"] for k in "bc"]
    assert revisions[1] == revisions[0] + 1
