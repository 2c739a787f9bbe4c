"""Uses `recado`, the client that was generated from openapi.yaml: python generated_client.py DIRECTORY PEER TOKEN"""

import datetime
import sys
import uuid

from recado import AuthenticatedClient, Client
from recado.api.both import contract, health
from recado.api.directory import deregister, find_peer, list_peers, register
from recado.api.peer import identity, leave_message
from recado.models import BatchProblem, BatchReceipt, Message, PeerRecord, Problem, ProblemType, Receipt, Registered, Registration
from recado.types import UNSET

directory_url, peer_url, token = sys.argv[1:]
# Neither a proxy nor an undocumented status comes between.
settings = {"httpx_args": {"trust_env": False}, "raise_on_unexpected_status": True}
ana = AuthenticatedClient(base_url=directory_url, token=token, **settings)
stranger = AuthenticatedClient(base_url=directory_url, token="s" * 32, **settings)
rui = Client(base_url=peer_url, **settings)


def is_problem(answer, word, status):
    assert isinstance(answer.parsed, Problem), answer
    assert answer.parsed.type_ == ProblemType(f"urn:recado:problem:{word}"), answer.parsed
    assert answer.parsed.status == answer.status_code == status
    assert answer.parsed.title and answer.parsed.detail


# Claim a name in another spelling, and be listed.
here = Registration(name="JOÃO", address="http://127.0.0.1:7109", fresh=True)
claimed = register.sync_detailed(client=ana, body=here)
assert claimed.status_code == 201
assert isinstance(claimed.parsed, Registered)
assert claimed.parsed.name == "joão"
assert claimed.parsed.fingerprint is None
assert claimed.parsed.token is UNSET
assert claimed.parsed.expires_at - claimed.parsed.online_since <= datetime.timedelta(seconds=61)

peers = list_peers.sync(client=ana)
assert [peer.name for peer in peers] == ["joão", "rui"]
assert all(isinstance(peer, PeerRecord) for peer in peers)
assert peers[0].online_since == claimed.parsed.online_since
assert peers[0].online_since.tzinfo is not None
page = list_peers.sync_detailed(client=ana, q="U", limit=1)
assert [peer.name for peer in page.parsed] == ["rui"]
assert "link" not in page.headers
is_problem(list_peers.sync_detailed(client=ana, limit=0), "invalid-query", 422)

# A claim may gain a key; then its fingerprint is a text, and never changes.
here.fingerprint = "ovqxixmhmx2eqnfqdkg2ayb3ozkqqdmcjngmqgyzw5s6nhyrhrfa"
assert register.sync_detailed(client=ana, body=here).status_code == 200
assert find_peer.sync(name="joão", client=ana).fingerprint == here.fingerprint
here.fingerprint = "a" * 52
is_problem(register.sync_detailed(client=ana, body=here), "fingerprint-changed", 409)
is_problem(register.sync_detailed(client=stranger, body=here), "name-taken", 409)

# Go offline, then give the name up.
assert deregister.sync_detailed(client=ana).status_code == 204
offline = find_peer.sync(name="joão", client=ana)
assert offline.online is False
assert offline.address is UNSET and offline.online_since is UNSET
assert deregister.sync_detailed(client=ana, forget=True).status_code == 204
is_problem(find_peer.sync_detailed(name="joão", client=ana), "unknown-name", 404)
is_problem(deregister.sync_detailed(client=ana), "token-unknown", 401)

# Leave a message, and repeat it.
assert identity.sync(client=rui).name == "rui"
message = Message(
    id=uuid.uuid4(), from_="ci", to="rui", body="Está verde.", sent_at=datetime.datetime.now(datetime.timezone.utc)
)
kept = leave_message.sync_detailed(client=rui, body=message)
assert kept.status_code == 201
assert isinstance(kept.parsed, Receipt)
assert kept.parsed.id == message.id
again = leave_message.sync_detailed(client=rui, body=message)
assert again.status_code == 200
assert again.parsed == kept.parsed
message.body = "Está vermelho."
is_problem(leave_message.sync_detailed(client=rui, body=message), "id-conflict", 409)

# Leave several at once: each has its own answer.
several = [message, Message(from_="ci", body="Está azul."), Message(from_="ci", to="ana", body="Está azul.")]
conflict, new, misdirected = leave_message.sync(client=rui, body=several)
assert isinstance(conflict, BatchProblem) and conflict.type_ == ProblemType("urn:recado:problem:id-conflict")
assert isinstance(new, BatchReceipt) and new.status == 201 and isinstance(new.id, uuid.UUID)
assert isinstance(misdirected, BatchProblem) and misdirected.status == 421
is_problem(leave_message.sync_detailed(client=rui, body=[]), "invalid-message", 422)

for program in (ana, rui):
    assert health.sync(client=program).status == "ok"
    assert contract.sync(client=program).startswith("openapi: 3.1")
