package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.e2e.FargateTasks.Ended;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Images come and go with the clients that people have, by every name of the registry. */
@Timeout(300)
class RegistryClientsTest extends RegionTest {

  private static DockerEngine docker;
  private static String registry = "";
  private static List<String> names = List.of();

  @BeforeAll
  static void start() throws Exception {
    registry = "000000000000.dkr.ecr.us-east-1.localhost";
    names =
        List.of(
            registry + ":" + region.port(),
            "localhost:" + region.port(),
            "127.0.0.1:" + region.port());
    docker = new DockerEngine(registry);
    shell.run(docker.environment());
  }

  @AfterAll
  static void stop() throws IOException {
    docker.close();
  }

  private static String repository(String name) throws IOException {
    return shell.run(
        "aws ecr create-repository --repository-name "
            + name
            + " --query repository.repositoryUri --output text");
  }

  private static List<String> tags(String repository) throws IOException {
    return shell
        .run(
            "aws ecr list-images --repository-name "
                + repository
                + " --query 'imageIds[].imageTag' --output text | tr '\\t' '\\n' | sort")
        .lines()
        .filter(line -> !line.isEmpty())
        .toList();
  }

  @Test
  void dockerPushesAndPullsByEveryName() throws Exception {
    assertEquals(names.getFirst() + "/team/app", repository("team/app"));
    shell.run("export DOCKER_CONFIG=$PWD/no-logins-yet");
    shell.run(
        "tar -C image -c bin etc | docker import --change 'CMD [\"/bin/busybox\"]' - built:1");
    List<String> pushed = new ArrayList<>();
    for (String name : names) {
      String image = name + "/team/app:by-" + names.indexOf(name);
      shell.run("docker tag built:1 " + image);
      Shell.Outcome stranger = shell.attempt("timeout 60 docker push " + image);
      assertNotEquals(0, stranger.exitCode(), stranger::output);
      assertTrue(stranger.output().contains("no basic auth credentials"), stranger::output);
      Shell.Outcome wrong =
          shell.attempt("echo wrong | docker login --username AWS --password-stdin " + name);
      assertNotEquals(0, wrong.exitCode(), wrong::output);
      assertEquals(pushed, tags("team/app"));

      String login =
          shell.run(
              "aws ecr get-login-password | docker login --username AWS --password-stdin " + name);
      assertTrue(login.contains("Login Succeeded"), login);
      shell.run("timeout 120 docker push " + image);
      pushed.add("by-" + names.indexOf(name));
      assertEquals(pushed, tags("team/app"));
      String id = shell.run("docker inspect --format '{{.Id}}' " + image);
      shell.run("docker rmi " + image + " && timeout 120 docker pull " + image);
      assertEquals(id, shell.run("docker inspect --format '{{.Id}}' " + image));
    }
    assertEquals(
        "1",
        shell.run(
            "aws ecr describe-images --repository-name team/app"
                + " --query 'length(imageDetails)' --output text"),
        "the same image under three tags");
    shell.run("docker logout " + names.getLast());
    Shell.Outcome out =
        shell.attempt("timeout 60 docker pull " + names.getLast() + "/team/app:by-0");
    assertNotEquals(0, out.exitCode(), out::output);
  }

  @Test
  void skopeoCopiesBothWaysByEveryName() throws Exception {
    repository("copies");
    List<String> expected = new ArrayList<>();
    for (String name : names) {
      String image = "docker://" + name + "/copies:" + names.indexOf(name);
      Shell.Outcome stranger =
          shell.attempt(
              docker.named(
                  "skopeo --insecure-policy copy --dest-tls-verify=false --dest-no-creds oci:layout:latest "
                      + image));
      assertNotEquals(0, stranger.exitCode(), stranger::output);
      assertTrue(stranger.output().contains("authentication required"), stranger::output);
      assertEquals(expected, tags("copies"));
      shell.run(
          "PASSWORD=$(aws ecr get-login-password)\n"
              + docker.named(
                  "skopeo --insecure-policy copy --dest-tls-verify=false --dest-creds AWS:$PASSWORD"
                      + " oci:layout:latest "
                      + image));
      expected.add(String.valueOf(names.indexOf(name)));
      assertEquals(expected, tags("copies"));
      shell.run(
          "rm -rf back\n"
              + docker.named(
                  "skopeo --insecure-policy copy --src-tls-verify=false --src-creds AWS:$PASSWORD "
                      + image
                      + " dir:back")
              + "\n"
              + """
              rm -rf unpacked && mkdir unpacked
              zcat -f back/$(jq -r '.layers[0].digest' back/manifest.json | cut -d: -f2) | tar -x -C unpacked
              diff -r --no-dereference image unpacked
              """);
    }
  }

  @Test
  void anInterruptedPushLeavesNoTag() throws Exception {
    repository("large");
    shell.run(
        """
        mkdir -p random && head -c 150000000 /dev/urandom > random/bytes
        docker tag $(tar -C random -c bytes | docker import -) %1$s/large:1
        aws ecr get-login-password | docker login --username AWS --password-stdin %1$s
        """
            .formatted(names.get(1)));
    String killed =
        shell.run(
            """
            started() { [ -n "$(find data/blobs -type f -newer random/bytes -size +1M -print -quit)" ]; }
            docker push %1$s/large:1 > push.txt 2>&1 & push=$!
            await started
            kill -9 $push
            wait $push || echo killed $?
            """
                .formatted(names.get(1)));
    assertTrue(killed.contains("killed 137"), killed);
    assertEquals(List.of(), tags("large"));
    shell.run("timeout 120 docker push " + names.get(1) + "/large:1");
    assertEquals(List.of("1"), tags("large"));
  }

  @Test
  void taskDefinitionsMayUseEveryName() throws Exception {
    List<String> images = new ArrayList<>(names.stream().map(name -> name + "/box").toList());
    images.add("000000000000.dkr.ecr.us-east-1.amazonaws.com/box");
    images.add("000000000000.dkr.ecr.us-east-1.amazonaws.com/box:latest");
    images.add(
        names.getFirst()
            + "/box@"
            + shell.run(
                "aws ecr describe-images --repository-name box"
                    + " --query 'imageDetails[0].imageDigest' --output text"));
    List<String> started = new ArrayList<>();
    for (String image : images) {
      shell.run("IMAGE=" + image);
      tasks.define("named", "\"name\":\"main\",\"command\":[\"echo\",\"hello\"]");
      started.add(tasks.start("named"));
    }
    for (String task : started) {
      Ended ended = tasks.awaitStopped(task);
      assertEquals("0", ended.exitCode(), ended::toString);
      assertEquals("hello", ended.output());
    }
  }

  @Test
  void whatCannotBePulledStopsTheTaskAndSaysWhy() throws Exception {
    List<String> images =
        List.of(
            "127.0.0.1:1/nobody/listens:1",
            "registry.invalid/no/such/name:1",
            names.getFirst() + "/box:missing",
            "000000000000.dkr.ecr.us-east-1.amazonaws.com/missing:latest");
    List<String> started = new ArrayList<>();
    for (String image : images) {
      shell.run("IMAGE=" + image);
      tasks.define("absent", "\"name\":\"main\"");
      started.add(tasks.start("absent"));
    }
    List<String> reasons = new ArrayList<>();
    for (String task : started) {
      Ended ended = tasks.awaitStopped(task);
      assertEquals("TaskFailedToStart", ended.stopCode());
      assertTrue(ended.reason().startsWith("CannotPullContainerError: "), ended::toString);
      assertEquals("null", ended.exitCode());
      reasons.add(ended.reason());
    }
    assertTrue(reasons.get(0).contains("127.0.0.1:1"), reasons::toString);
    assertTrue(reasons.get(1).contains("registry.invalid"), reasons::toString);
    assertTrue(reasons.get(2).contains("not found"), reasons::toString);
    assertTrue(reasons.get(3).contains("not found"), reasons::toString);
  }
}
