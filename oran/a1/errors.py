"""The exceptions of A1.

A1Error               a policy message or policy cannot be taken; `reason` says why, for the policy's status
"""


class A1Error(Exception):
    """A policy message or policy cannot be taken.

    `type_id` and `instance_id` are set as far as they could be read, so that the sender can still be answered.
    """

    def __init__(self, reason: str, *, type_id: int | None = None, instance_id: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.type_id = type_id
        self.instance_id = instance_id
