"""What is logged of answers and events, and training on it, through the whole stack."""

import json
from dataclasses import replace

import numpy as np

from features.candidate_items import items_of_rows
from features.candidates import FEATURES, hit_features, own_features
from features.release import open_release
from ranking_service.looked_up import hit_arrays
from sample_world import read_truth
from sample_world.life import Life
from tandem.v1.candidate_pb2 import Candidate
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import ACTION_CLICK, ACTION_DISMISS, Event
from tandem_cli.simulation.served import Retraining, Served
from tests.support.running_stack import copy_release, tandem
from training.datasets import open_dataset
from training.datasets.exported import write_exported
from training.evaluation.in_process import models_of, settings_of
from training.examples import ExampleMaker
from training.interactions import interactions_of
from training.shown import logged_features
from training.targets import Target
from training.words import collect_words

SMALL = ("positions=96", "epochs=1", "candidate_count=100", "validation_users=16", "tower_epochs=3")


def exported(client, release, directory):
    entry = release.manifest["dataset"]
    write_exported(
        directory,
        client.export_events(),
        client.list_items(),
        name=entry["name"],
        repeat=entry["repeat"],
    )
    return open_dataset(str(directory), rejects=None)


def silent_users(world):
    """Return users who said nothing, neither of themselves nor of items: of words the log has no
    vector.
    """
    dataset = open_dataset(str(world), rejects=None)
    users, events = dataset.users, dataset.interactions
    said = set(events[events["text"] != ""]["user_id"].astype(str))
    silent = users[(users["text"] == "") & (users["tags"].str.len() == 0)]["user_id"].astype(str)
    used = events["user_id"].astype(str).value_counts()
    return [user for user in silent if user not in said and used.get(user, 0) > 3]


def asked_after(client, user, seconds):
    """Ask for a list some time after a user's newest event, and take its second item then."""
    context = RequestContext(surface="parity")
    newest = client.get_user_state(user, timeout_s=10).user.history[-1]
    context.request_time.FromSeconds(newest.event_time.seconds + seconds)
    context.utc_offset.CopyFrom(newest.utc_offset)
    answer = client.recommend(user, context=context, item_count=10, timeout_s=10)
    assert not answer.degraded, answer.skipped_stages
    event = Event(
        user_id=user,
        item_id=answer.items[1].item_id,
        action=ACTION_CLICK,
        attribution_token=answer.attribution_token,
    )
    event.event_time.CopyFrom(context.request_time)
    event.utc_offset.CopyFrom(context.utc_offset)
    assert client.record_events([event], timeout_s=10).attributed_count == 1
    return answer


def test_training_computes_the_features_that_serving_logged(client, release, world, tmp_path):
    opened = open_release(release)
    answers = {user: asked_after(client, user, 3_600) for user in silent_users(world)[:4]}
    assert answers
    dataset = exported(client, opened, tmp_path / "events")
    lists = {
        impression.user_id: impression
        for part in client.export_events()
        for impression in part.impressions
        if impression.surface == "parity"
    }
    known = interactions_of(dataset)
    words = collect_words(dataset, known, seed=0)
    ids = dataset.items["item_id"].tolist()
    assert set(ids) == set(opened.items.item_ids), "the catalogue is as it was trained on"
    known = replace(
        known, events=replace(known.events, rows=opened.items.rows(ids)[known.events.rows])
    )
    maker = ExampleMaker(models_of(opened), known, words, opened.repeat, settings_of(opened))
    row_of = {str(user): row for row, user in enumerate(dataset.users["user_id"])}
    for user, answer in answers.items():
        shown = dataset.impressions
        own = shown[(shown["user_id"] == row_of[user]) & (shown["action"] != "")].impression_id
        some = shown[shown["impression_id"] == own.iloc[-1]].sort_values("position")
        assert [ids[row] for row in some["item_id"]] == [item.item_id for item in answer.items]
        assert some["action"].tolist()[:3] == ["", "click", ""]
        target = Target(row_of[user], len(known.of(row_of[user])) - 1)
        (view,) = maker.views([target])
        rows, tables = opened.items.rows([item.item_id for item in answer.items]), maker.tables
        some_items = items_of_rows(tables.items, tables.tags, tables.tastes, rows, view.heard)
        candidates = [Candidate(hits=item.hits) for item in lists[user].items]
        offline = np.concatenate(
            [
                hit_features(*hit_arrays(candidates), view.heard),
                own_features(tables, view, some_items),
            ],
            axis=1,
        )
        served = logged_features(some)
        for column, name in enumerate(FEATURES):
            if name == "recent_popularity":
                # What other tests have used since the release learned counts there.
                continue
            np.testing.assert_allclose(
                offline[:, column], served[:, column], atol=0.02, err_msg=f"{name} of {user}"
            )


def test_the_loop_closes_serve_react_record_retrain_activate(client, stack, world, tmp_path):
    before = client.list_releases(timeout_s=10).current_release_id
    life = Life(read_truth(world), days=2, seed=1)
    small = [part for setting in SMALL for part in ("--set", setting)]
    retraining = Retraining(1, tmp_path, [*small, "--set", "evaluation_users=60"])
    arm = Served(client, (stack.target, stack.catalog), retraining)
    for visit in life.visits(0, 80):
        shown = arm.list_for(visit, 10)
        arm.hear(visit, life.react(visit, shown))
    done = arm.night(0)
    manifest = json.loads((tmp_path / "day-1" / "manifest.json").read_text())
    assert manifest["warm_start"] == manifest["against"]["release_id"] == before
    assert manifest["dataset"]["newest_event_ms"] > life.visits(0, 80)[0].time_ms
    assert not list(tmp_path.glob(".*events*")), "nothing of the users stays beside the release"
    now = client.list_releases(timeout_s=10).current_release_id
    assert now == (before if manifest["against"]["worse"] else manifest["release_id"])
    assert ("stays out" in done) == manifest["against"]["worse"]
    if now != before:
        client.rollback_release(timeout_s=60)


def test_a_release_that_is_known_to_be_worse_is_refused_unless_forced(
    client, stack, release, tmp_path
):
    worse = tmp_path / "worse"
    copy_release(release, worse, "known-to-be-worse")
    file = worse / "manifest.json"
    manifest = json.loads(file.read_text())
    beside = {"metric": "ndcg@10", "targets": 90, "ours": 0.1, "theirs": 0.2}
    beside |= {"difference": -0.1, "ci95": [-0.15, -0.05]}
    manifest["against"] = {"release_id": "x", "events": beside, "lists": None, "worse": True}
    file.write_text(json.dumps(manifest))
    refused = tandem("release", "activate", worse, "--target", stack.target, status=1)
    assert "known-to-be-worse is worse than x" in refused.stdout + refused.stderr
    before = client.list_releases(timeout_s=10).current_release_id
    assert before != "known-to-be-worse"
    tandem("release", "activate", worse, "--force", "--target", stack.target)
    assert client.list_releases(timeout_s=10).current_release_id == "known-to-be-worse"
    client.rollback_release(timeout_s=60)
    assert client.list_releases(timeout_s=10).current_release_id == before


def test_what_was_dismissed_stays_away(client, world):
    user = str(open_dataset(str(world), rejects=None).interactions["user_id"].iloc[0])
    first = client.recommend(user, timeout_s=10).items[0].item_id
    client.record_events([Event(user_id=user, item_id=first, action=ACTION_DISMISS)], timeout_s=10)
    after = client.recommend(user, item_count=100, timeout_s=10)
    assert first not in {item.item_id for item in after.items}
