package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A cluster on an Auto Scaling group, with the stock {@code aws} command: a task that finds no room
 * makes the group grow, and a scaling policy makes it shrink, but not where a task runs.
 */
@Timeout(600)
@RegionTest.Up("--speed 10") // minutes pass between two decisions
class GroupsTest extends RegionTest {

  private void cluster() throws IOException {
    shell.run(
        """
        patiently() {
          local end=$((SECONDS + 300))
          until "$@"; do
            [ $SECONDS -lt $end ] || { echo "never: $*"
              aws autoscaling describe-scaling-activities --auto-scaling-group-name hosts
              aws autoscaling describe-auto-scaling-groups; return 1; }
            sleep 1
          done
        }
        AMI=$(aws ec2 describe-images --owners amazon --query 'Images[0].ImageId' --output text)
        DATA=$(printf '#!/bin/bash\\necho ECS_CLUSTER=lab >> /etc/ecs/ecs.config\\n' | base64 -w0)
        aws ec2 create-launch-template --launch-template-name hosts --launch-template-data \\
          '{"ImageId":"'$AMI'","InstanceType":"t3.small","UserData":"'$DATA'",
            "IamInstanceProfile":{"Name":"LabInstanceProfile"}}' > /dev/null
        aws autoscaling create-auto-scaling-group --auto-scaling-group-name hosts \\
          --launch-template LaunchTemplateName=hosts --min-size 1 --max-size 3 \\
          --vpc-zone-identifier $SUBNET --new-instances-protected-from-scale-in
        GROUP=$(aws autoscaling describe-auto-scaling-groups --output text \\
          --query 'AutoScalingGroups[0].AutoScalingGroupARN')
        aws ecs create-capacity-provider --name hosts --auto-scaling-group-provider \\
          "autoScalingGroupArn=$GROUP,managedTerminationProtection=ENABLED,\\
        managedScaling={status=ENABLED,targetCapacity=100,instanceWarmupPeriod=1}" > /dev/null
        aws ecs create-cluster --cluster-name lab --capacity-providers hosts \\
          --default-capacity-provider-strategy capacityProvider=hosts,weight=1 > /dev/null
        aws ecs register-task-definition --family worker --requires-compatibilities EC2 \\
          --container-definitions '[{"name":"main","image":"'$IMAGE'","memory":1200,
            "stopTimeout":2,"command":["sleep","3600"]}]' > /dev/null
        """);
  }

  @Test
  void aGroupFollowsTheTasksThatNeedIt() throws IOException {
    cluster();
    shell.run(
        """
        ONE=$(aws ecs run-task --cluster lab --task-definition worker \\
          --query 'tasks[0].taskArn' --output text)
        OTHER=$(aws ecs run-task --cluster lab --task-definition worker \\
          --query 'tasks[0].taskArn' --output text)
        running() {
          [ "$(aws ecs describe-tasks --cluster lab --tasks $ONE $OTHER --output text \\
            --query 'length(tasks[?lastStatus==`RUNNING`])')" = 2 ]
        }
        patiently running
        host() {
          aws ecs describe-container-instances --cluster lab --output text \\
            --query 'containerInstances[0].ec2InstanceId' --container-instances \\
            $(aws ecs describe-tasks --cluster lab --tasks $1 --output text \\
              --query 'tasks[0].containerInstanceArn')
        }
        KEPT=$(host $ONE); LEFT=$(host $OTHER)
        """);
    assertEquals("2", shell.run("echo $KEPT $LEFT | tr ' ' '\\n' | sort -u | wc -l"));
    String causes =
        shell.run(
            """
            aws autoscaling describe-scaling-activities --auto-scaling-group-name hosts \\
              --query 'Activities[].Cause' --output text
            """);
    assertTrue(causes.contains("changing the desired capacity from 1 to 2"), causes);

    shell.run(
        """
        aws ecs stop-task --cluster lab --task $OTHER > /dev/null
        POLICY=$(aws autoscaling put-scaling-policy --auto-scaling-group-name hosts \\
          --policy-name fewer --policy-type StepScaling --adjustment-type ChangeInCapacity \\
          --step-adjustments MetricIntervalUpperBound=0,ScalingAdjustment=-1 \\
          --estimated-instance-warmup 0 --query PolicyARN --output text)
        aws cloudwatch put-metric-alarm --alarm-name idle --namespace App --metric-name Jobs \\
          --statistic Average --period 10 --evaluation-periods 1 --threshold 5 \\
          --comparison-operator LessThanThreshold --alarm-actions $POLICY
        alone() { # after saying how many jobs wait
          aws cloudwatch put-metric-data --namespace App --metric-name Jobs --value 1 \\
            --storage-resolution 1
          [ "$(aws autoscaling describe-auto-scaling-instances --output text \\
            --query 'AutoScalingInstances[].InstanceId')" = $KEPT ]
        }
        patiently alone
        """);
    String why =
        shell.run(
            """
            aws autoscaling describe-scaling-activities --auto-scaling-group-name hosts \\
              --query 'Activities[?starts_with(Description,`Terminating`)].[Description,Cause]' \\
              --output text
            """);
    assertTrue(why.startsWith("Terminating EC2 instance: " + shell.run("echo $LEFT")), why);
    assertTrue(why.contains("a monitor alarm idle in state ALARM triggered policy fewer"), why);
    assertEquals(
        "RUNNING",
        shell.run(
            "aws ecs describe-tasks --cluster lab --tasks $ONE --query 'tasks[0].lastStatus'"
                + " --output text"));
    assertEquals(
        "1",
        shell.run(
            "aws ecs describe-clusters --clusters lab --output text"
                + " --query 'clusters[0].registeredContainerInstancesCount'"));
  }
}
