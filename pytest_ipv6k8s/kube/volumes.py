"""What a volume of a pod is made of."""

from __future__ import annotations

from pytest_ipv6k8s.kube.client import Object


def config_maps(volume: Object) -> list[Object]:
    """Return the ConfigMaps in a volume as it names them; a projected volume may have several."""
    parts = [volume, *((volume.get("projected") or {}).get("sources") or ())]
    return [part["configMap"] for part in parts if part.get("configMap")]
