package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.muelle.e2e.FargateTasks.Ended;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who reaches whom in a VPC, seen from inside the tasks. */
@Timeout(300)
class SecurityGroupsTest extends RegionTest {

  private static final String EXITED = "Essential container in task exited";
  private static final String TIMED_OUT =
      "28"; // curl's exit code: a dropped packet is not answered

  @BeforeAll
  static void start() throws IOException {
    tasks.define("box", "\"name\":\"main\",\"portMappings\":[{\"containerPort\":8080}]");
  }

  /** The command of a task that answers every request for / with a word. */
  private static String answering(String word) {
    return "mkdir -p /www; echo " + word + " > /www/index.html; exec httpd -f -p 8080 -h /www";
  }

  private static String fetch(String from) {
    return "exec curl -sS --max-time 60 http://" + from + "/";
  }

  /** As {@link #fetch}, where nothing is to get through: so long that is waited for in vain. */
  private static String knock(String at) {
    return "exec curl -sS --max-time 3 http://" + at + "/";
  }

  private static String group(String name, String vpc) throws IOException {
    return shell.run(
        "aws ec2 create-security-group --group-name %s --description %s --vpc-id %s --query GroupId --output text"
            .formatted(name, name, vpc));
  }

  private static void change(String verb, String group, int port, String source)
      throws IOException {
    shell.run(
        "aws ec2 %s-security-group-ingress --group-id %s --protocol tcp --port %d %s"
            .formatted(verb, group, port, source));
  }

  @Test
  void onlyWhomTheGroupAdmitsReachesTheTask() throws Exception {
    String balancers = group("balancers", "$VPC");
    String webs = group("webs", "$VPC");
    String callers = group("callers", "$VPC");
    int door = TestRegion.freePort();
    change("authorize", balancers, door, "--cidr 0.0.0.0/0");
    change("authorize", webs, 8080, "--source-group " + balancers);
    String web = tasks.start("box", "$SUBNET", webs, answering("web"));
    tasks.awaitRunning(web);
    String address = tasks.address(web);

    String name =
        shell.run(
            """
            BALANCER=$(aws elbv2 create-load-balancer --name door --subnets $(aws ec2 describe-subnets \\
              --query 'Subnets[].SubnetId' --output text) --security-groups %s \\
              --query 'LoadBalancers[0].LoadBalancerArn' --output text)
            TARGETS=$(aws elbv2 create-target-group --name webs --target-type ip --protocol HTTP --port 8080 \\
              --vpc-id $VPC --health-check-interval-seconds 5 --health-check-timeout-seconds 2 --healthy-threshold-count 2 \\
              --query 'TargetGroups[0].TargetGroupArn' --output text)
            aws elbv2 create-listener --load-balancer-arn $BALANCER --protocol HTTP --port %d \\
              --default-actions Type=forward,TargetGroupArn=$TARGETS > /dev/null
            aws elbv2 register-targets --target-group-arn $TARGETS --targets Id=%s
            healthy() {
              [ "$(aws elbv2 describe-target-health --target-group-arn $TARGETS --output text \\
                --query 'TargetHealthDescriptions[0].TargetHealth.State')" = healthy ]
            }
            await healthy
            aws elbv2 describe-load-balancers --load-balancer-arns $BALANCER \\
              --query 'LoadBalancers[0].DNSName' --output text
            """
                .formatted(balancers, door, address));
    assertEquals("web", shell.run("curl -sf --max-time 60 http://" + name + ":" + door + "/"));

    // From another task: through the load balancer by its name, but not straight to the task.
    String inside = name.replace(".elb.localhost", ".elb.amazonaws.com");
    Ended through = tasks.once("box", "$SUBNET", callers, fetch(inside + ":" + door));
    assertEquals(new Ended("0", "EssentialContainerExited", EXITED, "web"), through);
    Ended straight = tasks.once("box", "$SUBNET", callers, knock(address + ":8080"));
    assertEquals(TIMED_OUT, straight.exitCode(), straight::toString);

    change("authorize", webs, 8080, "--source-group " + callers);
    assertEquals("web", tasks.once("box", "$SUBNET", callers, fetch(address + ":8080")).output());
    String dns =
        shell.run(
            "aws ec2 describe-network-interfaces --filters Name=addresses.private-ip-address,Values="
                + address
                + " --query 'NetworkInterfaces[0].PrivateDnsName' --output text");
    assertEquals("ip-" + address.replace('.', '-') + ".ec2.internal", dns);
    assertEquals("web", tasks.once("box", "$SUBNET", callers, fetch(dns + ":8080")).output());

    change("revoke", webs, 8080, "--source-group " + callers);
    Ended again = tasks.once("box", "$SUBNET", callers, knock(address + ":8080"));
    assertEquals(TIMED_OUT, again.exitCode(), again::toString);

    assertEquals("RUNNING", tasks.fact(web, "lastStatus"), "nothing was restarted for that");
    assertEquals(address, tasks.address(web));
    assertEquals("web", shell.run("curl -sf --max-time 60 http://" + name + ":" + door + "/"));
    assertEquals(
        addressesOfInterfaces(),
        addressesInAnswer(tasks.once("box", "$SUBNET", callers, "exec nslookup " + name).output()),
        "inside, the load balancer's name means its private addresses");
    shell.run(
        """
        aws elbv2 delete-load-balancer --load-balancer-arn $BALANCER
        aws elbv2 delete-target-group --target-group-arn $TARGETS
        """);
  }

  /** A task that members of one group of a peered VPC reach, and nobody else there. */
  @Test
  void aRuleAdmitsAPeersGroup() throws Exception {
    String webs = group("peered-webs", "$VPC");
    shell.run(
        """
        FAR=$(aws ec2 create-vpc --cidr-block 10.66.0.0/16 --query Vpc.VpcId --output text)
        FAR_SUBNET=$(aws ec2 create-subnet --vpc-id $FAR --cidr-block 10.66.1.0/24 \
          --query Subnet.SubnetId --output text)
        PEERING=$(aws ec2 create-vpc-peering-connection --vpc-id $VPC --peer-vpc-id $FAR \
          --query VpcPeeringConnection.VpcPeeringConnectionId --output text)
        aws ec2 accept-vpc-peering-connection --vpc-peering-connection-id $PEERING > /dev/null
        table() {
          aws ec2 describe-route-tables --filters Name=vpc-id,Values=$1 \
            Name=association.main,Values=true --query 'RouteTables[0].RouteTableId' --output text
        }
        aws ec2 create-route --route-table-id $(table $VPC) --destination-cidr-block 10.66.0.0/16 \
          --vpc-peering-connection-id $PEERING > /dev/null
        aws ec2 create-route --route-table-id $(table $FAR) --destination-cidr-block 172.31.0.0/16 \
          --vpc-peering-connection-id $PEERING > /dev/null
        """);
    String callers = group("peered-callers", "$FAR");
    String others = group("peered-others", "$FAR");
    change("authorize", webs, 8080, "--source-group " + callers);
    String web = tasks.start("box", "$SUBNET", webs, answering("web"));
    tasks.awaitRunning(web);
    String address = tasks.address(web);
    Ended admitted = tasks.once("box", "$FAR_SUBNET", callers, fetch(address + ":8080"));
    assertEquals("web", admitted.output(), admitted::toString);
    Ended other = tasks.once("box", "$FAR_SUBNET", others, knock(address + ":8080"));
    assertEquals(TIMED_OUT, other.exitCode(), other::toString);

    shell.run("aws ec2 delete-vpc-peering-connection --vpc-peering-connection-id $PEERING");
    assertEquals(
        callers + " deleted",
        shell.run(
            """
            aws ec2 describe-stale-security-groups --vpc-id $VPC > stale.json
            jq -r '.StaleSecurityGroupSet[0].StaleIpPermissions[0].UserIdGroupPairs[0]
              | .GroupId + " " + .PeeringStatus' stale.json
            """));
    // As described, so revoked.
    shell.run(
        """
        aws ec2 revoke-security-group-ingress --group-id %s --ip-permissions \
          "$(jq -c '.StaleSecurityGroupSet[0].StaleIpPermissions' stale.json)" > /dev/null
        rm stale.json
        aws ecs stop-task --task %s > /dev/null
        """
            .formatted(webs, web));
    tasks.awaitStopped(web);
    shell.run("aws ec2 delete-subnet --subnet-id $FAR_SUBNET"); // others take the first that is
  }

  /** A service whose targets are its tasks' IPv6 addresses, asked by another task over IPv6. */
  @Test
  void aServiceIsReachedOverIpv6ThroughADualStackLoadBalancer() throws Exception {
    shell.run(
        """
        aws ec2 associate-vpc-cidr-block --vpc-id $VPC --amazon-provided-ipv6-cidr-block > /dev/null
        B6=$(aws ec2 describe-vpcs --vpc-ids $VPC --output text \
          --query 'Vpcs[0].Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock')
        PAIR=$(aws ec2 describe-subnets --query 'Subnets[:2].SubnetId' --output text)
        NUMBER=0
        for id in $PAIR; do
          NUMBER=$((NUMBER + 1))
          case $B6 in # the fourth number's last two digits are the subnet's
            *:*:*:*00::/56) BLOCK=${B6%00::/56}0$NUMBER::/64 ;;
            *) BLOCK=${B6%::/56}:$NUMBER::/64 ;;
          esac
          aws ec2 associate-subnet-cidr-block --subnet-id $id --ipv6-cidr-block $BLOCK > /dev/null
        done
        """);
    // Groups that are made now let IPv6 out.
    String doors = group("doors6", "$VPC");
    String webs = group("webs6", "$VPC");
    int door = TestRegion.freePort();
    change("authorize", webs, 8080, "--source-group " + doors);
    shell.run(
        """
        aws ec2 authorize-security-group-ingress --group-id %1$s --ip-permissions \
          'IpProtocol=tcp,FromPort=%3$d,ToPort=%3$d,Ipv6Ranges=[{CidrIpv6=::/0}]' > /dev/null
        read SIX NAME <<< "$(aws elbv2 create-load-balancer --name six --subnets $PAIR \
          --security-groups %1$s --ip-address-type dualstack \
          --query 'LoadBalancers[0].[LoadBalancerArn,DNSName]' --output text)"
        TARGETS=$(aws elbv2 create-target-group --name six --target-type ip --protocol HTTP --port 8080 \
          --ip-address-type ipv6 --vpc-id $VPC --health-check-interval-seconds 5 \
          --health-check-timeout-seconds 2 --healthy-threshold-count 2 \
          --query 'TargetGroups[0].TargetGroupArn' --output text)
        aws elbv2 create-listener --load-balancer-arn $SIX --protocol HTTP --port %3$d \
          --default-actions Type=forward,TargetGroupArn=$TARGETS > /dev/null
        aws ecs register-task-definition --family six --requires-compatibilities FARGATE \
          --network-mode awsvpc --cpu 256 --memory 512 \
          --execution-role-arn arn:aws:iam::000000000000:role/LabRole --container-definitions \
          '[{"name":"main","image":"'$IMAGE'","stopTimeout":2,"portMappings":[{"containerPort":8080}],
             "command":["sh","-c","%4$s"]}]' > /dev/null
        aws ecs create-service --service-name six --task-definition six --desired-count 1 \
          --launch-type FARGATE \
          --network-configuration "awsvpcConfiguration={subnets=[${PAIR//[[:space:]]/,}],securityGroups=[%2$s]}" \
          --load-balancers targetGroupArn=$TARGETS,containerName=main,containerPort=8080 > /dev/null
        six() {
          STATE=$(aws elbv2 describe-target-health --target-group-arn $TARGETS --output text \
            --query 'TargetHealthDescriptions[0].[Target.Id,TargetHealth.State]')
          [[ $STATE == 3fff:*healthy && $STATE != *unhealthy ]]
        }
        await six
        """
            .formatted(doors, webs, door, answering("six")));
    String name = shell.run("echo $NAME").replace(".elb.localhost", ".elb.amazonaws.com");
    Ended through =
        tasks.once(
            "box",
            "${PAIR%%[[:space:]]*}",
            doors,
            "exec curl -6 -sS --max-time 60 http://" + name + ":" + door + "/");
    assertEquals(new Ended("0", "EssentialContainerExited", EXITED, "six"), through);
    shell.run(
        """
        aws ecs delete-service --service six --force > /dev/null
        aws elbv2 delete-load-balancer --load-balancer-arn $SIX
        aws elbv2 delete-target-group --target-group-arn $TARGETS
        """);
  }

  private static List<String> addressesOfInterfaces() throws IOException {
    return Arrays.stream(
            shell
                .run(
                    "aws ec2 describe-network-interfaces --output text"
                        + " --filters 'Name=description,Values=ELB app/door/*'"
                        + " --query 'NetworkInterfaces[].PrivateIpAddress'")
                .split("\\s+"))
        .sorted()
        .toList();
  }

  private static List<String> addressesInAnswer(String answer) {
    return answer
        .lines()
        .dropWhile(line -> !line.contains("Name:"))
        .filter(line -> line.startsWith("Address"))
        .map(line -> line.substring(line.indexOf(' ')).trim().split(" ")[0])
        .sorted()
        .collect(Collectors.toList());
  }

  @Test
  void twoVpcsWithTheSameAddressesDoNotSeeEachOther() throws Exception {
    Place one = place();
    Place two = place();
    assertNotEquals(one.vpc(), two.vpc());
    String first = tasks.start("box", one.subnet(), one.group(), answering("one"));
    String second = tasks.start("box", two.subnet(), two.group(), answering("two"));
    tasks.awaitRunning(first);
    tasks.awaitRunning(second);
    String address = tasks.address(first);
    assertEquals(address, tasks.address(second), "the one free address of either");
    one.makeRoom();
    two.makeRoom();

    String inOne = tasks.start("box", one.subnet(), one.group(), fetch(address + ":8080"));
    String inTwo = tasks.start("box", two.subnet(), two.group(), fetch(address + ":8080"));
    assertEquals("one", tasks.awaitStopped(inOne).output());
    assertEquals("two", tasks.awaitStopped(inTwo).output());

    // With the neighbour's task gone, nobody here has its address: the other VPC's does not answer.
    shell.run("aws ecs stop-task --task " + second);
    tasks.awaitStopped(second);
    Ended alone = tasks.once("box", two.subnet(), two.group(), knock(address + ":8080"));
    assertNotEquals("0", alone.exitCode(), alone::toString);
    assertEquals(
        "one", tasks.once("box", one.subnet(), one.group(), fetch(address + ":8080")).output());
  }

  /**
   * A VPC of its own with one subnet of which one address is free, and its default group, which
   * admits its own members.
   */
  private record Place(String vpc, String subnet, String group, String spare) {
    /** A second address becomes free. */
    void makeRoom() throws IOException {
      shell.run("aws ec2 delete-network-interface --network-interface-id " + spare);
    }
  }

  private static Place place() throws IOException {
    String vpc =
        shell.run("aws ec2 create-vpc --cidr-block 10.7.0.0/16 --query Vpc.VpcId --output text");
    String subnet =
        shell.run(
            "aws ec2 create-subnet --vpc-id "
                + vpc
                + " --cidr-block 10.7.1.0/28 --query Subnet.SubnetId --output text");
    String group =
        shell.run(
            "aws ec2 describe-security-groups --filters Name=vpc-id,Values="
                + vpc
                + " --query 'SecurityGroups[0].GroupId' --output text");
    // Of a /28's sixteen addresses AWS keeps the first four and the last.
    shell.run(
        """
        for last in $(seq 5 14); do
          curl -sf --aws-sigv4 aws:amz:us-east-1:ec2 --user $AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY \
            -d "Action=CreateNetworkInterface&Version=2016-11-15&SubnetId=%s&PrivateIpAddress=10.7.1.$last" \
            $AWS_ENDPOINT_URL/ > /dev/null
        done
        """
            .formatted(subnet));
    String spare =
        shell.run(
            "aws ec2 describe-network-interfaces --output text --filters Name=subnet-id,Values="
                + subnet
                + " Name=private-ip-address,Values=10.7.1.9"
                + " --query 'NetworkInterfaces[0].NetworkInterfaceId'");
    return new Place(vpc, subnet, group, spare);
  }
}
