# Image of hnet for one machine, for Slurm with Apptainer, and for KubeRay (hnet sweep submit --kubernetes).
#   docker build -t hnet .                         torch for the CPU
#   docker build -t hnet:cuda --build-arg TORCH=cuda .   torch with CUDA; the host needs NVIDIA's container toolkit
FROM python:3.12-slim AS build
ARG TORCH=cpu
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/hnet
ENV PATH=/opt/hnet/bin:$PATH
COPY constraints.txt ./
# The package index has torch with CUDA; PyTorch's own index has one for the CPU, of a tenth of the size.
RUN case "$TORCH" in \
      cpu) pip install -c constraints.txt --index-url https://download.pytorch.org/whl/cpu torch torchvision ;; \
      cuda) pip install -c constraints.txt torch torchvision ;; \
      *) echo "TORCH must be cpu or cuda, got $TORCH" >&2; exit 2 ;; \
    esac
COPY pyproject.toml README.md LICENSE ./
COPY hnet_core hnet_core
COPY studies studies
COPY reports reports
COPY sweeps sweeps
# KubeRay submits its job to Ray's dashboard, which only ray[default] has.
RUN pip install -c constraints.txt ".[postgres]" "ray[default]"

FROM python:3.12-slim
# KubeRay's probes and init containers call wget.
RUN apt-get update \
 && apt-get install -y --no-install-recommends wget \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1000 --create-home hnet \
 && mkdir /data \
 && chown hnet /data
COPY --from=build /opt/hnet /opt/hnet
ENV PATH=/opt/hnet/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HNET_DATA=/data \
    RAY_USAGE_STATS_ENABLED=0 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 1000
WORKDIR /home/hnet
ENTRYPOINT []
CMD ["hnet", "--help"]
