"""Passkeys, as browsers make and use them: `lifecycle.needs.Ceremony`.

Rules
1. A passkey is enough by itself: it is made so that it can be found without a name, and its device checks who holds it
   (PIN, finger, face) each time.
2. Who made the device is not asked: no attestation.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from ..lifecycle.needs import MadeKey
from ..model.errors import BadRequest
from ..model.signin import Passkey

NAME = "Stagedoor"
MILLISECONDS = 300_000
_FOUND_WITHOUT_A_NAME = AuthenticatorSelectionCriteria(
    resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
)


class WebAuthn:
    def challenge(self) -> bytes:
        return secrets.token_bytes(32)

    def making(
        self, challenge: bytes, host: str, user_id: str, code: str, name: str, known: Sequence[bytes]
    ) -> dict[str, Any]:
        options = generate_registration_options(
            rp_id=host,
            rp_name=NAME,
            user_id=user_id.encode(),
            user_name=code,
            user_display_name=name or code,
            challenge=challenge,
            timeout=MILLISECONDS,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=_FOUND_WITHOUT_A_NAME,
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        )
        return dict(json.loads(options_to_json(options)))

    def made(self, credential: Mapping[str, Any], challenge: bytes, host: str, origin: str) -> MadeKey:
        try:
            found = verify_registration_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=host,
                expected_origin=origin,
                require_user_verification=True,
            )
        except Exception as error:  # what it reads is hostile, and its parsers raise whatever comes
            raise _refused(error) from None
        return MadeKey(found.credential_id, found.credential_public_key, found.sign_count)

    def using(self, challenge: bytes, host: str) -> dict[str, Any]:
        options = generate_authentication_options(
            rp_id=host,
            challenge=challenge,
            timeout=MILLISECONDS,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return dict(json.loads(options_to_json(options)))

    def id_of(self, credential: Mapping[str, Any]) -> bytes:
        try:
            return parse_authentication_credential_json(dict(credential)).raw_id
        except Exception as error:
            raise _refused(error) from None

    def used(
        self, credential: Mapping[str, Any], challenge: bytes, origin: str, passkey: Passkey, user_id: str
    ) -> int | None:
        try:
            handle = parse_authentication_credential_json(dict(credential)).response.user_handle
            if handle not in (None, user_id.encode()):
                return None
            found = verify_authentication_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=passkey.host,
                expected_origin=origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except WebAuthnException:
            return None
        except Exception as error:
            raise _refused(error) from None
        return found.new_sign_count


def _refused(error: Exception) -> BadRequest:
    return BadRequest(
        "This passkey cannot be used here; begin again, or sign in another way.",
        code="passkey_refused",
        detail=f"{type(error).__name__}: {error}",
    )
