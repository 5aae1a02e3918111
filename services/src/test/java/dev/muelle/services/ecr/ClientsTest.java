package dev.muelle.services.ecr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.cloud.tools.jib.api.Containerizer;
import com.google.cloud.tools.jib.api.Jib;
import com.google.cloud.tools.jib.api.JibContainer;
import com.google.cloud.tools.jib.api.RegistryImage;
import com.google.cloud.tools.jib.api.buildplan.AbsoluteUnixPath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecr.model.ImageDetail;

/** Unmodified clients: skopeo, a Docker engine, Jib. */
class ClientsTest {

  private static final Path BUSYBOX = Path.of("/bin/busybox");

  @TempDir private Path directory;
  private RegistryServer server;
  private String password = "";

  @BeforeEach
  void open() throws IOException {
    server = new RegistryServer(Files.createDirectory(directory.resolve("server")), 0);
    server.ecr().createRepository(r -> r.repositoryName("team/app"));
    server.ecr().createRepository(r -> r.repositoryName("other"));
    password = server.password(RegistryServer.HERE);
  }

  @AfterEach
  void close() {
    server.close();
  }

  private static void need(String program, String debianPackage) {
    boolean there =
        List.of("/usr/bin/", "/usr/sbin/", "/bin/").stream()
            .anyMatch(place -> Files.isExecutable(Path.of(place + program)));
    if (!there) {
      fail(program + " is missing: apt-get install " + debianPackage);
    }
  }

  private String run(Map<String, String> environment, String script) throws Exception {
    Path output = Files.createTempFile(directory, "output", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder("bash", "-euo", "pipefail", "-c", script)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    builder.environment().putAll(environment);
    builder.environment().put("PASSWORD", password);
    Process process = builder.start();
    if (!process.waitFor(300, TimeUnit.SECONDS)) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
      fail("no end: " + script + "\n" + Files.readString(output));
    }
    String said = Files.readString(output);
    assertEquals(0, process.exitValue(), () -> script + "\n" + said);
    return said;
  }

  /** An OCI layout {@code layout} with one image of busybox. */
  private void layout() throws Exception {
    need("busybox", "busybox-static");
    run(
        Map.of(),
        """
        mkdir -p image/bin layout/blobs/sha256
        cp /bin/busybox image/bin/
        tar --sort=name --mtime=@0 -C image -cf layer.tar .
        layer=$(sha256sum layer.tar | cut -d' ' -f1)
        layersize=$(stat -c %s layer.tar)
        mv layer.tar layout/blobs/sha256/$layer
        put() { digest=$(sha256sum $1 | cut -d' ' -f1); size=$(stat -c %s $1); mv $1 layout/blobs/sha256/$digest; }
        echo '{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/busybox"]},"rootfs":{"type":"layers","diff_ids":["sha256:'$layer'"]}}' > config.json
        put config.json; config=$digest; configsize=$size
        echo '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:'$config'","size":'$configsize'},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:'$layer'","size":'$layersize'}]}' > manifest.json
        put manifest.json
        echo '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:'$digest'","size":'$size',"annotations":{"org.opencontainers.image.ref.name":"v1"}}]}' > layout/index.json
        echo '{"imageLayoutVersion":"1.0.0"}' > layout/oci-layout
        """);
  }

  @Test
  void skopeoCopiesThereAndBack() throws Exception {
    need("skopeo", "skopeo");
    need("jq", "jq");
    layout();
    run(
        Map.of("HOST", server.host),
        """
        to="--insecure-policy copy --dest-tls-verify=false --dest-creds AWS:$PASSWORD"
        skopeo $to oci:layout:v1 docker://$HOST/team/app:v1
        skopeo $to --format v2s2 oci:layout:v1 docker://$HOST/team/app:docker
        skopeo --insecure-policy copy --src-tls-verify=false --src-creds AWS:$PASSWORD \\
          --dest-tls-verify=false --dest-creds AWS:$PASSWORD \\
          docker://$HOST/team/app:v1 docker://$HOST/other:v1
        skopeo --insecure-policy copy --src-tls-verify=false --src-creds AWS:$PASSWORD \\
          docker://$HOST/other:v1 dir:back
        layer=$(jq -r '.layers[0].digest' back/manifest.json | cut -d: -f2)
        echo "$layer  back/$layer" | sha256sum -c
        zcat back/$layer | tar -x ./bin/busybox && cmp bin/busybox /bin/busybox
        skopeo list-tags --tls-verify=false --creds AWS:$PASSWORD docker://$HOST/team/app | grep -q docker
        skopeo delete --tls-verify=false --creds AWS:$PASSWORD docker://$HOST/other:v1
        if skopeo inspect --tls-verify=false --creds AWS:wrong docker://$HOST/team/app:v1; then exit 1; fi
        if skopeo inspect --tls-verify=false --no-creds docker://$HOST/team/app:v1; then exit 1; fi
        """);
    List<ImageDetail> images =
        server.ecr().describeImages(r -> r.repositoryName("team/app")).imageDetails();
    assertEquals(2, images.size());
    assertTrue(images.stream().allMatch(image -> image.imageSizeInBytes() > 500_000));
    assertEquals(
        0, server.ecr().describeImages(r -> r.repositoryName("other")).imageDetails().size());
  }

  @Test
  void jibBuildsAndPushes() throws Exception {
    need("busybox", "busybox-static");
    System.setProperty("sendCredentialsOverHttp", "true"); // what Jib asks for on plain HTTP
    JibContainer pushed =
        Jib.fromScratch()
            .addLayer(List.of(BUSYBOX), AbsoluteUnixPath.get("/bin"))
            .setEntrypoint("/bin/busybox")
            .containerize(
                Containerizer.to(
                        RegistryImage.named(server.host + "/team/app:jib")
                            .addCredential("AWS", password))
                    .setAllowInsecureRegistries(true)
                    .setApplicationLayersCache(directory.resolve("cache"))
                    .setBaseImageLayersCache(directory.resolve("cache")));
    assertEquals(
        pushed.getDigest().toString(),
        server.ecr().images().find("team/app", "jib").orElseThrow().digest());
  }

  @Test
  void aDockerEnginePushesAndPulls() throws Exception {
    need("dockerd", "docker.io");
    need("docker", "docker.io");
    need("busybox", "busybox-static");
    String name = "mu" + UUID.randomUUID().toString().substring(0, 8);
    Path home = Path.of("/tmp", name); // short: the socket's path has a limit
    Files.createDirectory(home);
    Process engine =
        new ProcessBuilder(
                "dockerd",
                "--data-root=" + home + "/data",
                "--exec-root=" + home + "/exec",
                "--pidfile=" + home + "/pid",
                "--host=unix://" + home + "/sock",
                "--storage-driver=vfs",
                "--bridge=none",
                "--iptables=false",
                "--ip6tables=false")
            .redirectErrorStream(true)
            .redirectOutput(home.resolve("log").toFile())
            .start();
    try {
      while (!Files.exists(home.resolve("sock"))) {
        assertTrue(engine.isAlive(), () -> log(home));
        engine.waitFor(20, TimeUnit.MILLISECONDS);
      }
      run(
          Map.of(
              "HOST",
              server.host,
              "DOCKER_HOST",
              "unix://" + home + "/sock",
              "DOCKER_CONFIG",
              home + "/config"),
          """
          if echo wrong | docker login --username AWS --password-stdin $HOST; then exit 1; fi
          mkdir -p image/bin && cp /bin/busybox image/bin/
          tar -C image -c . | docker import --change 'CMD ["/bin/busybox"]' - $HOST/team/app:v1
          if docker push $HOST/team/app:v1; then exit 1; fi
          echo "$PASSWORD" | docker login --username AWS --password-stdin $HOST
          docker push $HOST/team/app:v1
          docker tag $HOST/team/app:v1 $HOST/other:v1
          docker push $HOST/other:v1 | tee push.txt
          grep -q 'Mounted from team/app' push.txt
          id=$(docker inspect --format '{{.Id}}' $HOST/team/app:v1)
          docker rmi $HOST/team/app:v1 $HOST/other:v1
          docker pull $HOST/other:v1
          test "$(docker inspect --format '{{.Id}}' $HOST/other:v1)" = "$id"
          docker tag $HOST/other:v1 $HOST/missing:v1
          docker push $HOST/missing:v1 > missing.txt 2>&1 || true
          grep "The repository with name 'missing' does not exist in the registry with id '000000000000'" missing.txt || { cat missing.txt; exit 1; }
          docker rmi $HOST/other:v1 $HOST/missing:v1
          docker logout $HOST
          """);
      assertEquals(
          server.ecr().images().find("team/app", "v1").orElseThrow().digest(),
          server.ecr().images().find("other", "v1").orElseThrow().digest());
    } finally {
      engine.destroy();
      if (!engine.waitFor(60, TimeUnit.SECONDS)) {
        engine.descendants().forEach(ProcessHandle::destroyForcibly);
        engine.destroyForcibly();
      }
      run(Map.of(), "rm -rf --one-file-system " + home);
    }
  }

  private static String log(Path home) {
    try {
      return Files.readString(home.resolve("log"));
    } catch (IOException e) {
      return e.toString();
    }
  }
}
