# Everything that `make report` needs, LaTeX included, and JupyterLab on port 8888:
#   docker build -t twinvae . && docker run -p 8888:8888 twinvae
#   docker run twinvae make test
# On x86, --build-arg PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu takes PyTorch without CUDA, a smaller image.
FROM python:3.11-slim
ARG PIP_EXTRA_INDEX_URL
WORKDIR /twinvae
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends git make tesseract-ocr \
    && useradd --create-home --shell /bin/bash twin && chown twin /twinvae
COPY Makefile ./
RUN make latex
USER twin
COPY --chown=twin pyproject.toml requirements.lock requirements.hashed LICENSE ./
COPY --chown=twin lib lib
COPY --chown=twin notebooks notebooks
COPY --chown=twin report report
RUN make env
COPY --chown=twin . .
RUN touch .venv/ready
EXPOSE 8888
CMD [".venv/bin/python", "-m", "jupyter", "lab", "notebooks", "--ip=0.0.0.0", "--no-browser"]
