"""RSA2 as the Alipay gateway does it: the far side's own code, shared with nothing in the terminal.

A request is signed over its parameters, sorted, written `key=value` and joined by `&`, without
`sign` and without empty values. A response is signed over the very characters that stand between
`"<method>_response":` and the end of that object.

Spec: Alipay open platform, opendocs.alipay.com/common/02mse7 (RSA-SHA256, PKCS#1 v1.5, base64).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def new_key() -> rsa.RSAPrivateKey:
    """Return a fresh RSA key of 2048 bits, the size that RSA2 asks for."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(key: rsa.RSAPrivateKey) -> str:
    """Return the key as unencrypted PKCS#8 PEM: for keys of a simulation only."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def public_pem(key: rsa.RSAPrivateKey | rsa.RSAPublicKey) -> str:
    """Return the public half as PEM."""
    public = key.public_key() if isinstance(key, rsa.RSAPrivateKey) else key
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def load_public(pem: str) -> rsa.RSAPublicKey:
    """Read an RSA public key. Raises ValueError for anything else."""
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("RSA2 needs an RSA key")
    return key


def signed_text(parameters: Mapping[str, str]) -> str:
    """Return what a request's signature covers."""
    return "&".join(f"{key}={value}" for key, value in sorted(parameters.items()) if key != "sign" and value)


def sign(key: rsa.RSAPrivateKey, text: str, charset: str = "utf-8") -> str:
    """Return the base64 signature of *text*."""
    return base64.b64encode(
        key.sign(text.encode(charset), padding.PKCS1v15(), hashes.SHA256()),
    ).decode()


def verify(key: rsa.RSAPublicKey, text: str, signature: str, charset: str = "utf-8") -> bool:
    """Tell whether the base64 *signature* is that key's over *text*."""
    try:
        key.verify(
            base64.b64decode(signature, validate=True),
            text.encode(charset),
            padding.PKCS1v15(),
            hashes.SHA256(),
        )
    except (InvalidSignature, ValueError):
        return False
    return True
