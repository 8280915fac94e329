"""The plan of a prune, written from docs/specs/prune.md alone, and the vectors it gives.

    python3 test/second/prune.py > test/vectors/prune.json

The vectors are frozen: a change of what this prints is a change of what is kept.
"""
import datetime
import random

from vectors import Vectors

DAY = 86_400_000
NOW = 20_500 * DAY + 12 * 3_600_000
UNITS = ["hourly", "daily", "weekly", "monthly", "yearly"]
ORDER = ["recent", "undated", "since-test", "newest", "base", "last"] + UNITS + ["within", "tag"]


def bucket(unit, ms):
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=ms)
    if unit == "hourly":
        return (moment.date(), moment.hour)
    if unit == "daily":
        return moment.date()
    if unit == "weekly":
        return moment.date() - datetime.timedelta(days=moment.weekday())
    if unit == "monthly":
        return (moment.year, moment.month)
    return moment.year


def plan(now, policy, snapshots, tested, entriesPerDay):
    why = {each["id"]: set() for each in snapshots}
    lately = {each["id"] for each in tested if each["testedMs"] >= now - 90 * DAY}
    floor = max((s["receivedMs"] for s in snapshots
                 if s["id"] in lately and s["receivedMs"] is not None), default=None)
    for s in snapshots:
        if s["receivedMs"] is None:
            why[s["id"]].add("undated")
            continue
        if s["receivedMs"] >= now - 30 * DAY:
            why[s["id"]].add("recent")
        if floor is not None and s["receivedMs"] >= floor:
            why[s["id"]].add("since-test")
    by_seq = sorted(snapshots, key=lambda s: s["seq"])
    # the last of a chain comes last, so it wins
    for head in {s["chain"]: s for s in by_seq}.values():
        for chain, seq in head["seen"]:
            known = [s for s in by_seq if s["chain"] == chain and s["seq"] <= seq]
            if known:
                why[known[-1]["id"]].add("base")
    over, counts = set(), {}
    for s in by_seq:
        if s["receivedMs"] is not None:
            key = (s["chain"], bucket("daily", s["receivedMs"]))
            counts[key] = counts.get(key, 0) + 1
            if counts[key] > entriesPerDay.get(s["chain"], 10**9):
                over.add(s["id"])
    for name in {(s["chain"], s["series"]) for s in snapshots}:
        series = [s for s in by_seq if (s["chain"], s["series"]) == name]
        why[series[-1]["id"]].add("newest")
        for s in series:
            if set(s["tags"]) & set(policy.get("tags", [])):
                why[s["id"]].add("tag")
            if "withinMs" in policy and (s["receivedMs"] or -1) >= now - policy["withinMs"]:
                why[s["id"]].add("within")
        sound = [s for s in series if s["receivedMs"] is not None and s["id"] not in over]
        sound.sort(key=lambda s: s["receivedMs"])
        for s in sound[max(0, len(sound) - policy.get("last", 0)):]:
            why[s["id"]].add("last")
        for unit in UNITS:
            buckets = {}
            for s in sound:
                buckets.setdefault(bucket(unit, s["receivedMs"]), []).append(s)
            count = policy.get(unit, 0)
            for key in sorted(buckets)[max(0, len(buckets) - count):]:
                why[buckets[key][0]["id"]].add(unit)
                why[buckets[key][-1]["id"]].add(unit)
    kept = [{"id": s["id"], "reasons": [r for r in ORDER if r in why[s["id"]]]}
            for s in snapshots if why[s["id"]]]
    return {"kept": kept, "dropped": [s["id"] for s in snapshots if not why[s["id"]]],
            "refusal": None if floor is not None else "untested"}


def snapshot(number, seq, age_days, chain="aa", series="", tags=(), seen=()):
    received = None if age_days is None else round(NOW - age_days * DAY)
    return {"id": f"{number:04x}", "chain": chain, "seq": seq, "series": series,
            "receivedMs": received, "tags": list(tags), "seen": [list(each) for each in seen]}


def main():
    vectors = Vectors("docs/specs/prune.md", {"prune-plan": plan})

    def case(name, policy, snapshots, tested=None, limits=None):
        oldest = min((s for s in snapshots if s["receivedMs"] is not None),
                     key=lambda s: -s["receivedMs"], default=None)
        usual = [{"id": oldest["id"], "testedMs": NOW - DAY}] if oldest else []
        vectors.good(name, "prune-plan", now=NOW, policy=policy, snapshots=snapshots,
                     tested=usual if tested is None else tested, entriesPerDay=limits or {})

    def daily(days, **more):
        return [snapshot(i + 1, i + 1, days - i, **more) for i in range(days)]

    case("no snapshot", {"daily": 1}, [])
    case("nothing is asked for", {}, daily(40))
    case("no test", {"daily": 7}, daily(40), tested=[])
    case("a test of 90 days ago", {"daily": 7}, daily(40),
         tested=[{"id": "0028", "testedMs": NOW - 90 * DAY}])
    case("a test of a moment before", {"daily": 7}, daily(40),
         tested=[{"id": "0028", "testedMs": NOW - 90 * DAY - 1}])
    case("a test of what is not there", {"daily": 7}, daily(40),
         tested=[{"id": "ffff", "testedMs": NOW}])
    case("what came after the newest that was tested stays", {}, daily(60), tested=[
        {"id": "0005", "testedMs": NOW - DAY}, {"id": "0014", "testedMs": NOW - 2 * DAY},
        {"id": "0003", "testedMs": NOW}])
    case("what was received 30 days ago stays, a moment before does not", {}, [
        snapshot(1, 1, 30 + 1 / DAY), snapshot(2, 2, 30), snapshot(3, 3, 1)])
    two = [snapshot(i + 1, i + 1, 200 - (i // 4) - (i % 4) / 10) for i in range(40)]
    case("the first and the last of a day", {"daily": 3}, two)
    case("the first and the last of an hour", {"hourly": 5}, [
        snapshot(i + 1, i + 1, 100 - i / 96) for i in range(30)])
    long = [snapshot(i + 1, i + 1, 1500 - 9 * i) for i in range(160)]
    for unit, count in [("weekly", 30), ("monthly", 20), ("yearly", 4)]:
        case(f"the first and the last, {unit}", {unit: count}, long)
    case("all rules at once", {"last": 3, "daily": 7, "weekly": 20, "monthly": 20, "yearly": 9,
                               "withinMs": 50 * DAY}, long)
    case("tags", {"tags": ["keep", "both"]}, [
        snapshot(1, 1, 90, tags=["keep"]), snapshot(2, 2, 80, tags=["other", "both"]),
        snapshot(3, 3, 70), snapshot(4, 4, 60, tags=["keep "]), snapshot(5, 5, 1)])
    case("devices do not stand for each other", {"daily": 40}, [
        snapshot(1, 1, 100.3), snapshot(2, 2, 100.2), snapshot(3, 3, 100.1),
        snapshot(4, 1, 100.35, chain="bb"), snapshot(5, 2, 100.15, chain="bb"),
        snapshot(6, 3, 100.05, chain="bb"), snapshot(7, 4, 2), snapshot(8, 4, 2, chain="bb")])
    case("nor do other directories of one device", {"daily": 40}, [
        snapshot(3 * day + i + 1, 3 * day + i + 1, 100 - day - i / 10, series="abc"[i])
        for day in range(4) for i in range(3)])
    case("the newest of each chain and series stays", {}, [
        snapshot(1, 1, 90, series="a"), snapshot(2, 2, 80, series="b"),
        snapshot(3, 3, 70, series="a"), snapshot(4, 1, 95, chain="bb"), snapshot(5, 4, 65)])
    case("no time, no end", {"daily": 1}, [
        snapshot(1, 1, None), snapshot(2, 2, 70), snapshot(3, 3, None), snapshot(4, 4, 50)])
    case("what heads have seen of others", {}, [
        snapshot(1, 1, 90), snapshot(2, 2, 89), snapshot(3, 4, 88),
        snapshot(4, 5, 87, seen=[["bb", 3], ["cc", 9]]),
        snapshot(5, 2, 86, chain="bb", seen=[["aa", 1]]),
        snapshot(6, 7, 85, chain="bb", seen=[["aa", 3]]),
        snapshot(7, 1, 84, chain="cc", seen=[["bb", 1]])])
    many = [snapshot(i + 1, i + 1, 50 - i / 100) for i in range(20)]
    case("more in a day than the certificate lets", {"daily": 9, "last": 2}, many,
         limits={"aa": 5})
    case("a rate of another", {"daily": 9, "last": 2}, many, limits={"bb": 5})
    case("the order given is no matter", {"daily": 5, "last": 1}, list(reversed(daily(45))))
    case("received in another order than written", {"last": 2, "daily": 9}, [
        snapshot(1, 1, 60), snapshot(2, 2, 64), snapshot(3, 3, 62), snapshot(4, 4, 63.5)])
    chance = random.Random("prune")
    for number in range(12):
        count = chance.randrange(5, 60)
        seqs = {"aa": 0, "bb": 0, "cc": 0}
        snapshots = []
        for i in range(count):
            chain = chance.choice(sorted(seqs))
            seqs[chain] += chance.randrange(1, 3)
            age = None if chance.random() < 0.05 else chance.random() * 900
            snapshots.append(snapshot(
                i + 1, seqs[chain], age, chain=chain, series=chance.choice(["", "x"]),
                tags=chance.sample(["t", "u"], chance.randrange(3)),
                seen=[[other, chance.randrange(1, 20)] for other in seqs if other != chain]))
        policy = {unit: chance.randrange(8) for unit in UNITS if chance.random() < 0.6}
        policy.update({"last": chance.randrange(3), "tags": ["t"] if chance.random() < 0.3 else []})
        tested = [{"id": chance.choice(snapshots)["id"], "testedMs": NOW - chance.randrange(120) * DAY}
                  for _ in range(2)]
        case(f"by chance {number}", policy, snapshots, tested,
             {chain: chance.randrange(1, 4) for chain in seqs if chance.random() < 0.5})
    vectors.print()


if __name__ == "__main__":
    main()
