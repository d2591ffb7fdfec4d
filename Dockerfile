# torchdoctor alone, without torch: docker run --rm -it IMAGE resolve --gpu "RTX 4090" --driver 570.124
# To check the host's GPU, pass it to the container: docker run --rm --gpus all IMAGE doctor
FROM python:3.12-slim
COPY . /src
RUN python -m pip install --no-cache-dir /src && rm -rf /src \
    && useradd --create-home doctor
USER doctor
WORKDIR /home/doctor
ENTRYPOINT ["torchdoctor"]
CMD ["doctor"]
