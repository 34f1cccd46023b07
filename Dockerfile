# The slicing xApp's image: `docker build --target xapp -t ranloop-xapp .`
# Wheels only, so that no stage holds a compiler; the result runs as uid 10001 on a read-only root file system.
ARG PYTHON=3.11-slim

FROM python:${PYTHON} AS build
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY oran oran
COPY xapps xapps
COPY ranloop ranloop
RUN python -m venv /opt/ranloop \
    && /opt/ranloop/bin/pip install --no-cache-dir --only-binary=:all: --no-binary=ranloop \
        -c constraints.txt ".[xapp]" \
    && /opt/ranloop/bin/pip uninstall --yes setuptools pip

FROM python:${PYTHON} AS xapp
LABEL org.opencontainers.image.title="ranloop slicing xApp" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/ranloop /opt/ranloop
COPY xapps/slicing/descriptor/config-file.json /opt/ric/config/config-file.json
ENV PATH=/opt/ranloop/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    XAPP_DESCRIPTOR_PATH=/opt/ric/config/config-file.json
USER 10001:10001
EXPOSE 8080 4560 4561
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s CMD ["python", "-c", \
    "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/ric/v1/health/alive', timeout=2)"]
ENTRYPOINT ["python", "-m", "xapps.slicing"]

# The same xApp over librmr and ricxappframe instead of our own RMR endpoint (extra `ric`). Its pins
# (protobuf < 3.21, redis 4.3) are why it has an image of its own and no constraints file.
FROM python:${PYTHON} AS xapp-ric
ARG RMR_DEB_URL
RUN test -n "${RMR_DEB_URL}" || (echo "give --build-arg RMR_DEB_URL=: the rmr package published by the O-RAN SC" && false)
ADD ${RMR_DEB_URL} /tmp/rmr.deb
RUN dpkg -i /tmp/rmr.deb && rm /tmp/rmr.deb
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY oran oran
COPY xapps xapps
COPY ranloop ranloop
RUN pip install --no-cache-dir ".[xapp,ric]"
COPY xapps/slicing/descriptor/config-file.json /opt/ric/config/config-file.json
ENV PYTHONUNBUFFERED=1 XAPP_DESCRIPTOR_PATH=/opt/ric/config/config-file.json LD_LIBRARY_PATH=/usr/local/lib
USER 10001:10001
EXPOSE 8080 4560 4561
ENTRYPOINT ["python", "-m", "xapps.slicing", "--transport", "native"]
