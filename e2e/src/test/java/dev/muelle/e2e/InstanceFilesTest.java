package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What tasks on one instance share: its files, a Docker volume, its processes, and what Docker
 * would write down of their output; through a server's sudden end, and until the instance is
 * terminated.
 */
@Timeout(300)
class InstanceFilesTest {

  private static TestRegion region;
  private static FargateTasks tasks;
  private static Session shell;

  @BeforeAll
  static void start() throws IOException {
    region = TestRegion.start("");
    tasks = new FargateTasks(region);
    shell = tasks.shell();
    shell.run(
        """
        printf '#!/bin/bash\\necho ECS_CLUSTER=default >> /etc/ecs/ecs.config\\n' > user-data
        AMI=$(aws ec2 describe-images --owners amazon --query 'Images[0].ImageId' --output text)
        INSTANCE=$(aws ec2 run-instances --image-id $AMI --instance-type t3.small --subnet-id $SUBNET \\
          --user-data file://user-data --iam-instance-profile Name=LabInstanceProfile \\
          --query 'Instances[0].InstanceId' --output text)
        registered() {
          [ "$(aws ecs describe-clusters --clusters default --output text \\
            --query 'clusters[0].registeredContainerInstancesCount')" = $1 ]
        }
        await registered 1
        """);
  }

  @AfterAll
  static void stop() throws IOException {
    tasks.close();
    region.close();
  }

  /**
   * Runs a task on the instance.
   *
   * @param more members of the task definition
   * @param container members of its only container
   */
  private static String run(String family, String more, String container, String command)
      throws IOException {
    return shell.run(
        """
        cat > %1$s.json <<EOF
        {"family": "%1$s", "requiresCompatibilities": ["EC2"], %2$s
         "volumes": [
           {"name": "place", "host": {"sourcePath": "/srv/lab"}},
           {"name": "outputs", "host": {"sourcePath": "/var/lib/docker/containers"}},
           {"name": "shared", "dockerVolumeConfiguration":
             {"scope": "shared", "autoprovision": true, "driver": "local"}}],
         "containerDefinitions": [{"name": "main", "image": "$IMAGE", "memory": 64, "stopTimeout": 1,
           %3$s,
           "mountPoints": [{"sourceVolume": "place", "containerPath": "/place"},
             {"sourceVolume": "outputs", "containerPath": "/outputs", "readOnly": true},
             {"sourceVolume": "shared", "containerPath": "/shared"}],
           "command": ["sh", "-c", "%4$s"]}]}
        EOF
        aws ecs register-task-definition --cli-input-json file://%1$s.json > /dev/null
        aws ecs run-task --launch-type EC2 --task-definition %1$s --query 'tasks[0].taskArn' \\
          --output text
        """
            .formatted(family, more, container, command));
  }

  private static final String DELIVERED =
      """
      "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/e2e",
        "awslogs-region": "us-east-1", "awslogs-stream-prefix": "t", "awslogs-create-group": "true"}}
      """;

  private static Path machines() {
    return region.work().resolve("data/engine/machines");
  }

  @Test
  void tasksShareWhatTheirInstanceHas() throws Exception {
    String writer =
        run(
            "writer",
            "\"pidMode\": \"host\", \"ipcMode\": \"host\",",
            "\"logConfiguration\": {\"logDriver\": \"json-file\", \"options\": {\"max-size\": \"1m\"}}",
            "echo one > /place/file; echo two > /shared/file; echo three > /dev/shm/file;"
                + " echo printed; exec sleep 4242");
    tasks.awaitRunning(writer);

    // Its server dies; the next one knows what the instance has.
    region.server().destroyForcibly();
    region.up();
    String id = writer.substring(writer.lastIndexOf('/') + 1);
    FargateTasks.Ended reader =
        tasks.awaitStopped(
            run(
                "reader",
                "\"pidMode\": \"host\", \"ipcMode\": \"host\",",
                DELIVERED,
                "cat /place/file /shared/file /dev/shm/file; ps | grep -c '[s]leep 4242';"
                    + " cat /outputs/%s-0/%s-0-json.log; ls /place /shared".formatted(id, id)));
    List<String> seen = reader.output().lines().toList();
    assertEquals(List.of("one", "two", "three", "1"), seen.subList(0, 4));
    assertTrue(
        seen.get(4).startsWith("{\"log\":\"printed\\n\",\"stream\":\"stdout\",\"time\":\""),
        seen.get(4));
    shell.run("aws ecs stop-task --task " + writer + " > /dev/null");
    tasks.awaitStopped(writer);
    // With its own namespaces a task sees none of that, but the files stay; the output is gone.
    FargateTasks.Ended later =
        tasks.awaitStopped(
            run("later", "", DELIVERED, "cat /place/file /shared/file; ls /dev/shm; ls /outputs"));
    assertEquals(List.of("one", "two"), later.output().lines().toList());
    try (Stream<Path> all = Files.list(machines())) {
      assertEquals(1, all.count());
    }

    shell.run(
        """
        aws ec2 terminate-instances --instance-ids $INSTANCE > /dev/null
        aws ec2 wait instance-terminated --instance-ids $INSTANCE
        gone() { [ -z "$(ls %s)" ]; }
        await gone
        """
            .formatted(machines()));
  }
}
