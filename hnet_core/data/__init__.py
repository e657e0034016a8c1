"""Image data sets, one loader per file; any pair of npz files below the data root is a data set too."""

from hnet_core.data.images import Images, data_root, joint_checksum
from hnet_core.data.open_images import open_images

__all__ = ["Images", "data_root", "joint_checksum", "open_images"]
