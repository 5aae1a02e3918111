package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code examples/scheduler}: somebody else's scheduler, over the public API alone. */
@Timeout(300)
class SchedulerExampleTest extends RegionTest {

  @Test
  void itKeepsTasksWhereMostMemoryIsFree() throws Exception {
    shell.run(
        """
        aws ecs create-cluster --cluster-name own > /dev/null
        printf '#!/bin/bash\\necho ECS_CLUSTER=own >> /etc/ecs/ecs.config\\n' > user-data
        AMI=$(aws ec2 describe-images --owners amazon --query 'Images[0].ImageId' --output text)
        aws ec2 run-instances --image-id $AMI --instance-type t3.small --count 2 --subnet-id $SUBNET \\
          --user-data file://user-data --iam-instance-profile Name=LabInstanceProfile > /dev/null
        registered() {
          [ "$(aws ecs list-container-instances --cluster own --query 'length(containerInstanceArns)')" = $1 ]
        }
        await registered 2
        aws ecs register-task-definition --family worker --requires-compatibilities EC2 \\
          --network-mode none --container-definitions '[{"name":"main","image":"'$IMAGE'",
            "memory":400,"stopTimeout":2,"command":["sleep","1000"]}]' > /dev/null
        schedule() { LOOKS=1 %s own worker $1; }
        running() {
          [ "$(aws ecs list-tasks --cluster own --started-by own-scheduler --query 'length(taskArns)')" = $1 ]
        }
        """
            .formatted(Shell.HOME.resolve("examples/scheduler/schedule")));
    String started = shell.run("schedule 4");
    assertEquals(4, started.lines().filter(line -> line.startsWith("started ")).count(), started);
    shell.run("await running 4");
    assertEquals(
        2, started.lines().map(line -> line.replaceAll(".* on ", "")).distinct().count(), started);
    assertEquals("", shell.run("schedule 4"), "nothing is missing");

    String one = started.lines().findFirst().orElseThrow().split(" ", -1)[1];
    shell.run("aws ecs stop-task --cluster own --task " + one + " > /dev/null; await running 3");
    assertEquals(1, shell.run("schedule 4").lines().count());

    // More than there is room for: it takes what it gets, and says why it got no more.
    String more = shell.run("schedule 40");
    assertTrue(more.contains("RESOURCE:MEMORY"), more);
    assertTrue(more.lines().filter(line -> line.startsWith("started ")).count() > 0, more);
  }
}
