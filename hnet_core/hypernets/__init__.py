"""Hypernetworks: functions from a task embedding to the weights of a target network."""

from hnet_core.hypernets.hypernet import Hypernet

__all__ = ["Hypernet"]
