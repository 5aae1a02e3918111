package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.e2e.FargateTasks.Ended;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A region whose disk is full in the middle of a pull says so, and goes on. */
@Timeout(600)
class FullDiskTest {

  private static final int DISK_MIB = 256;

  /** An image that is small as long as it is packed. */
  private static void pushInflating(TestRegion region, String repository) throws Exception {
    region.run(
        """
        mkdir inflating && truncate -s %1$dM inflating/zeros
        tar -C inflating -cf layer.tar zeros && diff=$(sha256sum layer.tar | cut -d' ' -f1)
        gzip -1 layer.tar && rm -r inflating
        mkdir -p big/blobs/sha256
        put() { digest=$(sha256sum "$1" | cut -d' ' -f1); size=$(stat -c %%s "$1"); mv "$1" big/blobs/sha256/$digest; }
        put layer.tar.gz; layer='"digest":"sha256:'$digest'","size":'$size
        echo '{"architecture":"'$(dpkg --print-architecture)'","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:'$diff'"]}}' > c
        put c; config='"digest":"sha256:'$digest'","size":'$size
        echo '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json",'$config'},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip",'$layer'}]}' > m
        put m
        echo '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:'$digest'","size":'$size'}]}' > big/index.json
        echo '{"imageLayoutVersion":"1.0.0"}' > big/oci-layout
        aws ecr create-repository --repository-name %2$s > /dev/null
        skopeo --insecure-policy copy --dest-tls-verify=false --dest-creds "AWS:$(aws ecr get-login-password)" \\
          oci:big docker://localhost:%3$d/%2$s:latest
        """
            .formatted(2 * DISK_MIB, repository, region.port()));
  }

  @Test
  void thePullFailsAndAllElseGoesOn() throws Exception {
    Path disk = Files.createTempDirectory("muelle-small");
    Shell machine = new Shell(disk.getParent(), Map.of());
    machine.run("mount -t tmpfs -o size=%dm muelle-e2e %s".formatted(DISK_MIB, disk));
    try (TestRegion region = TestRegion.prepare("")) {
      Files.createSymbolicLink(region.work().resolve("data"), disk);
      region.up();
      try (FargateTasks tasks = new FargateTasks(region)) {
        tasks.define("small", "\"name\":\"main\",\"command\":[\"echo\",\"fine\"]");
        pushInflating(region, "big");
        for (int i = 0; i < 2; i++) { // the second time nothing of the first is in the way
          tasks.shell().run("SMALL=$IMAGE; IMAGE=${IMAGE/box/big}");
          tasks.define("big", "\"name\":\"main\"");
          Ended full = tasks.awaitStopped(tasks.start("big"));
          tasks.shell().run("IMAGE=$SMALL");
          assertEquals("TaskFailedToStart", full.stopCode(), full::toString);
          assertTrue(full.reason().startsWith("CannotPullContainerError: "), full::toString);
          assertTrue(full.reason().endsWith("no space left on device"), full::toString);
          Ended fine = tasks.awaitStopped(tasks.start("small"));
          assertEquals("fine", fine.output(), fine::toString);
        }
      }
    } finally {
      machine.run("umount %1$s && rmdir %1$s".formatted(disk));
    }
  }
}
