package dev.muelle.e2e;

import java.io.IOException;

/**
 * A small image from what Debian has, pushed with skopeo: busybox-static, and curl with its
 * libraries, because a static program of Debian's cannot resolve names without the host's.
 */
final class BusyboxImage {

  private final TestRegion region;

  BusyboxImage(TestRegion region) {
    this.region = region;
  }

  /** Pushes {@code repository:latest}; the repository must exist. */
  void push(String repository) throws IOException {
    region.run(
        """
        mkdir -p image/bin image/tmp image/etc
        cp /bin/busybox image/bin/busybox
        for tool in $(/bin/busybox --list | grep -vx busybox); do ln -sf busybox image/bin/$tool; done
        echo 'root:x:0:0:root:/root:/bin/sh' > image/etc/passwd
        for file in /usr/bin/curl $(ldd /usr/bin/curl | grep -o '/[^ ]*'); do
          mkdir -p image$(dirname $file) && cp -L $file image$file
        done
        rm -rf layout && mkdir -p layout/blobs/sha256
        tar --sort=name --mtime=@0 --owner=0 --group=0 -C image -cf layer.tar .
        layer=$(sha256sum layer.tar | cut -d' ' -f1)
        mv layer.tar layout/blobs/sha256/$layer
        arch=$(dpkg --print-architecture)
        put() { digest=$(sha256sum "$1" | cut -d' ' -f1); size=$(stat -c %%s "$1"); mv "$1" layout/blobs/sha256/$digest; }
        echo '{"architecture":"'$arch'","os":"linux","config":{"Cmd":["sh"],"Env":["PATH=/bin:/usr/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:'$layer'"]}}' > config.json
        put config.json; config=$digest; configsize=$size
        layersize=$(stat -c %%s layout/blobs/sha256/$layer)
        echo '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:'$config'","size":'$configsize'},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:'$layer'","size":'$layersize'}]}' > manifest.json
        put manifest.json
        echo '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:'$digest'","size":'$size',"annotations":{"org.opencontainers.image.ref.name":"latest"}}]}' > layout/index.json
        echo '{"imageLayoutVersion":"1.0.0"}' > layout/oci-layout
        skopeo --insecure-policy copy --dest-tls-verify=false --dest-creds "AWS:$(aws ecr get-login-password)" \\
          oci:layout:latest docker://localhost:%d/%s:latest
        """
            .formatted(region.port(), repository));
  }
}
