"""Operations of the tag `account`: whom the credentials act for."""

from __future__ import annotations

from starlette.responses import Response

from emulator.server.call import Call
from emulator.server.responses import json_response


def get_user_org(call: Call) -> Response:
    identity = call.tenant.identity
    return json_response(
        {
            "org_id": identity.org_id,
            "slug": identity.slug,
            "name": identity.org_name,
            "is_personal": True,
            "is_key_scoped": False,
        }
    )
