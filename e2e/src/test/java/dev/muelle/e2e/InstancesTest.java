package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A cluster of EC2 instances, from run-instances to a service behind a load balancer that reaches
 * its containers through the instances' dynamic ports; and what is lost with an instance.
 */
@Timeout(300)
class InstancesTest extends RegionTest {

  @Test
  void aServiceOnInstancesSurvivesTheLossOfOne() throws Exception {
    int door = TestRegion.freePort();
    shell.run(
        """
        aws ecs create-cluster --cluster-name lab > /dev/null
        group() {
          aws ec2 create-security-group --group-name $1 --description $1 --vpc-id $VPC \\
            --query GroupId --output text
        }
        BALANCERS=$(group balancers); HOSTS=$(group hosts)
        aws ec2 authorize-security-group-ingress --group-id $BALANCERS --protocol tcp --port %1$d \\
          --cidr 0.0.0.0/0 > /dev/null
        aws ec2 authorize-security-group-ingress --group-id $HOSTS --protocol tcp \\
          --port 49153-65535 --source-group $BALANCERS > /dev/null
        printf '#!/bin/bash\\necho ECS_CLUSTER=lab >> /etc/ecs/ecs.config\\n' > user-data
        AMI=$(aws ec2 describe-images --owners amazon --query 'Images[0].ImageId' --output text)
        aws ec2 run-instances --image-id $AMI --instance-type t3.small --count 2 --subnet-id $SUBNET \\
          --security-group-ids $HOSTS --user-data file://user-data \\
          --iam-instance-profile Name=LabInstanceProfile > /dev/null
        registered() {
          [ "$(aws ecs describe-clusters --clusters lab --output text \\
            --query 'clusters[0].registeredContainerInstancesCount')" = $1 ]
        }
        await registered 2
        aws ecs register-task-definition --family web --requires-compatibilities EC2 \\
          --network-mode bridge --container-definitions '[{"name":"main","image":"'$IMAGE'",
            "memory":64,"stopTimeout":2,"portMappings":[{"containerPort":8080,"hostPort":0}],
            "command":["sh","-c","mkdir -p /www; echo web > /www/index.html; exec httpd -f -p 8080 -h /www"]}]' \\
          > /dev/null
        BALANCER=$(aws elbv2 create-load-balancer --name door --subnets $(aws ec2 describe-subnets \\
          --query 'Subnets[].SubnetId' --output text) --security-groups $BALANCERS \\
          --query 'LoadBalancers[0].LoadBalancerArn' --output text)
        TARGETS=$(aws elbv2 create-target-group --name web --target-type instance --protocol HTTP \\
          --port 80 --vpc-id $VPC --health-check-interval-seconds 5 --health-check-timeout-seconds 2 --healthy-threshold-count 2 \\
          --query 'TargetGroups[0].TargetGroupArn' --output text)
        aws elbv2 modify-target-group-attributes --target-group-arn $TARGETS \\
          --attributes Key=deregistration_delay.timeout_seconds,Value=1 > /dev/null
        aws elbv2 create-listener --load-balancer-arn $BALANCER --protocol HTTP --port %1$d \\
          --default-actions Type=forward,TargetGroupArn=$TARGETS > /dev/null
        aws ecs create-service --cluster lab --service-name web --task-definition web \\
          --launch-type EC2 --desired-count 3 \\
          --load-balancers targetGroupArn=$TARGETS,containerName=main,containerPort=8080 > /dev/null
        healthy() {
          [ "$(aws elbv2 describe-target-health --target-group-arn $TARGETS --output text --query \\
            'length(TargetHealthDescriptions[?TargetHealth.State==`healthy`])')" = $1 ]
        }
        await healthy 3
        DNS=$(aws elbv2 describe-load-balancers --load-balancer-arns $BALANCER \\
          --query 'LoadBalancers[0].DNSName' --output text)
        """
            .formatted(door));
    assertEquals("web", shell.run("await curl -sf --max-time 5 http://$DNS:" + door + "/"));
    String ids =
        shell.run(
            """
            aws elbv2 describe-target-health --target-group-arn $TARGETS --output text \\
              --query 'TargetHealthDescriptions[].Target.Id'
            """);
    assertTrue(ids.matches("i-[0-9a-f]{17}(\\si-[0-9a-f]{17}){2}"), ids);

    // A task that somebody ran by hand, on each instance; then one instance is lost.
    shell.run(
        """
        LOST=$(aws ec2 describe-instances --filters Name=instance-state-name,Values=running \\
          --query 'Reservations[0].Instances[0].InstanceId' --output text)
        MANUAL=$(aws ecs start-task --cluster lab --task-definition web --query 'tasks[0].taskArn' \\
          --output text --container-instances $(aws ecs list-container-instances --cluster lab \\
            --filter "ec2InstanceId == $LOST" --query 'containerInstanceArns[0]' --output text))
        status() {
          [ "$(aws ecs describe-tasks --cluster lab --tasks $MANUAL --output text \\
            --query 'tasks[0].lastStatus')" = $1 ]
        }
        await status RUNNING
        aws ec2 terminate-instances --instance-ids $LOST > /dev/null
        aws ec2 wait instance-terminated --instance-ids $LOST
        await registered 1
        await status STOPPED
        elsewhere() {
          [ "$(aws elbv2 describe-target-health --target-group-arn $TARGETS --output text --query \\
            "length(TargetHealthDescriptions[?TargetHealth.State=='healthy' && Target.Id!='$LOST'])")" = 3 ]
        }
        await elsewhere
        """);
    assertEquals("web", shell.run("await curl -sf --max-time 5 http://$DNS:" + door + "/"));
    assertEquals(
        "TerminationNotice",
        shell.run(
            """
            aws ecs describe-tasks --cluster lab --tasks $MANUAL --query 'tasks[0].stopCode' \\
              --output text
            """));
    assertEquals("3", shell.run("aws ecs list-tasks --cluster lab | jq '.taskArns | length'"));

    // The server dies; what it served goes on, and a new one knows all of it.
    region.server().destroyForcibly();
    region.server().onExit().get();
    region.up();
    shell.run("await healthy 3");
    // It knows who was healthy before it listens.
    assertEquals("web", shell.run("await curl -sf --max-time 5 http://$DNS:" + door + "/"));
  }
}
