package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.muelle.e2e.FargateTasks.Ended;
import java.io.IOException;
import java.nio.file.Files;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A VPC with public and private subnets over two zones, as the architectures of the courses have
 * it, made with the {@code aws} command and seen from inside the tasks. The world outside is a
 * namespace behind the host.
 */
@Timeout(600)
class VpcTest extends RegionTest {

  private static final String TIMED_OUT = "28"; // curl's: a dropped packet is not answered
  private static final String OUTSIDE = "203.0.113.2";
  private static final String NAME =
      String.format("vw%06x", ThreadLocalRandom.current().nextInt(1 << 24));

  private static Process web;

  @BeforeAll
  static void furnish() throws IOException {
    tasks.define("box", "\"name\":\"main\",\"portMappings\":[{\"containerPort\":8080}]");
    region.bare(
        """
        ip netns add %1$s
        ip link add %1$s type veth peer name eth0 netns %1$s
        ip addr add 203.0.113.1/24 dev %1$s
        ip link set %1$s up
        ip -n %1$s addr add %2$s/24 dev eth0
        ip -n %1$s link set eth0 up
        ip -n %1$s route add default via 203.0.113.1
        mkdir -p www && echo outside > www/index.html
        """
            .formatted(NAME, OUTSIDE));
    web =
        region.background(
            "exec ip netns exec %s busybox httpd -f -p %s:80 -h www".formatted(NAME, OUTSIDE),
            region.work().resolve("web.log"));
    shell.run(
        """
        id() { aws ec2 "$@" --output text; }
        W=$(id create-vpc --cidr-block 10.42.0.0/16 --query Vpc.VpcId)
        subnet() { id create-subnet --vpc-id $W --cidr-block $1 --availability-zone $2 --query Subnet.SubnetId; }
        PUBLIC_A=$(subnet 10.42.0.0/24 us-east-1a)
        PUBLIC_B=$(subnet 10.42.1.0/24 us-east-1b)
        PRIVATE_A=$(subnet 10.42.10.0/24 us-east-1a)
        PRIVATE_B=$(subnet 10.42.11.0/24 us-east-1b)
        IGW=$(id create-internet-gateway --query InternetGateway.InternetGatewayId)
        aws ec2 attach-internet-gateway --internet-gateway-id $IGW --vpc-id $W
        table() { id create-route-table --vpc-id $W --query RouteTable.RouteTableId; }
        PUBLIC=$(table)
        PRIVATE=$(table)
        aws ec2 create-route --route-table-id $PUBLIC --destination-cidr-block 0.0.0.0/0 --gateway-id $IGW
        for s in $PUBLIC_A $PUBLIC_B; do
          aws ec2 associate-route-table --route-table-id $PUBLIC --subnet-id $s
        done
        for s in $PRIVATE_A $PRIVATE_B; do
          aws ec2 associate-route-table --route-table-id $PRIVATE --subnet-id $s
        done
        GROUP=$(id create-security-group --vpc-id $W --group-name web --description web --query GroupId)
        aws ec2 authorize-security-group-ingress --group-id $GROUP --protocol tcp --port 8080 --cidr 0.0.0.0/0
        """);
  }

  @AfterAll
  static void unfurnish() throws IOException {
    web.descendants().forEach(ProcessHandle::destroyForcibly);
    web.destroyForcibly();
    region.bare("ip link del %1$s; ip netns del %1$s; rm -rf www web.log".formatted(NAME));
    Files.deleteIfExists(region.work().resolve("web.log"));
  }

  private static String fetch(String from) {
    return "exec curl -sS --max-time 60 http://" + from + "/";
  }

  /** As {@link #fetch}, where nothing is to get through: so long is waited for in vain. */
  private static String knock(String at) {
    return "exec curl -sS --max-time 3 http://" + at + "/";
  }

  /** A task that answers with a word; its public address, too. */
  private static String serve(String word) throws IOException {
    return tasks.startPublic(
        "box",
        "$PUBLIC_A",
        "$GROUP",
        "mkdir -p /www; echo " + word + " > /www/index.html; exec httpd -f -p 8080 -h /www");
  }

  private static String publicAddress(String task) throws IOException {
    return shell.run(
        "id describe-network-interfaces --filters Name=addresses.private-ip-address,Values="
            + tasks.address(task)
            + " --query 'NetworkInterfaces[0].Association.PublicIp'");
  }

  @Test
  void publicAndPrivateSubnetsOverTwoZones() throws Exception {
    // Out of a public subnet gets who has a public address, and only that one is reached.
    String server = serve("public");
    tasks.awaitRunning(server);
    String address = publicAddress(server);
    assertEquals("public", shell.run("curl -sS --max-time 60 http://" + address + ":8080/"));
    Ended addressed =
        tasks.awaitStopped(tasks.startPublic("box", "$PUBLIC_B", "$GROUP", fetch(OUTSIDE)));
    assertEquals("outside", addressed.output(), addressed::toString);
    Ended bare = tasks.once("box", "$PUBLIC_B", "$GROUP", knock(OUTSIDE));
    assertNotEquals("0", bare.exitCode(), bare::toString);

    // Out of a private one nobody gets, whatever he has, until there is a NAT gateway.
    Ended before =
        tasks.awaitStopped(tasks.startPublic("box", "$PRIVATE_A", "$GROUP", knock(OUTSIDE)));
    assertNotEquals("0", before.exitCode(), before::toString);
    String elastic =
        shell.run(
            """
            EIP=$(id allocate-address --domain vpc --query AllocationId)
            NAT=$(id create-nat-gateway --subnet-id $PUBLIC_A --allocation-id $EIP --query NatGateway.NatGatewayId)
            aws ec2 create-route --route-table-id $PRIVATE --destination-cidr-block 0.0.0.0/0 --nat-gateway-id $NAT > /dev/null
            aws ec2 wait nat-gateway-available --nat-gateway-ids $NAT
            id describe-addresses --allocation-ids $EIP --query 'Addresses[0].PublicIp'
            """);
    for (String subnet : new String[] {"$PRIVATE_A", "$PRIVATE_B"}) {
      Ended through = tasks.once("box", subnet, "$GROUP", fetch(OUTSIDE));
      assertEquals("outside", through.output(), through::toString);
    }

    // Who is called sees the gateway's address: nothing else is admitted here.
    shell.run(
        """
        aws ec2 revoke-security-group-ingress --group-id $GROUP --protocol tcp --port 8080 --cidr 0.0.0.0/0
        aws ec2 authorize-security-group-ingress --group-id $GROUP --protocol tcp --port 8080 --cidr %s/32
        """
            .formatted(elastic));
    Ended seen = tasks.once("box", "$PRIVATE_B", "$GROUP", fetch(address + ":8080"));
    assertEquals("public", seen.output(), seen::toString);
    Ended other =
        tasks.awaitStopped(
            tasks.startPublic("box", "$PUBLIC_B", "$GROUP", knock(address + ":8080")));
    assertEquals(TIMED_OUT, other.exitCode(), other::toString);

    // Nothing comes in through it.
    assertEquals(
        TIMED_OUT,
        shell.run("curl -sS --max-time 2 http://" + elastic + ":8080/ 2> /dev/null; echo $?"));

    // An ACL is stateless: without an entry for the answers nothing comes back.
    String closed =
        shell.run(
            """
            ACL=$(id create-network-acl --vpc-id $W --query NetworkAcl.NetworkAclId)
            aws ec2 create-network-acl-entry --network-acl-id $ACL --egress --rule-number 100 --protocol -1 \\
              --rule-action allow --cidr-block 0.0.0.0/0
            id replace-network-acl-association --network-acl-id $ACL --query NewAssociationId --association-id \\
              $(id describe-network-acls --filters Name=association.subnet-id,Values=$PRIVATE_B \\
                --query "NetworkAcls[0].Associations[?SubnetId=='$PRIVATE_B'].NetworkAclAssociationId")
            """);
    assertEquals("aclassoc-", closed.substring(0, 9));
    Ended unanswered = tasks.once("box", "$PRIVATE_B", "$GROUP", knock(OUTSIDE));
    assertEquals(TIMED_OUT, unanswered.exitCode(), unanswered::toString);
    shell.run(
        """
        aws ec2 create-network-acl-entry --network-acl-id $ACL --ingress --rule-number 100 --protocol tcp \\
          --port-range From=1024,To=65535 --rule-action allow --cidr-block 0.0.0.0/0
        """);
    Ended answered = tasks.once("box", "$PRIVATE_B", "$GROUP", fetch(OUTSIDE));
    assertEquals("outside", answered.output(), answered::toString);

    // All goes as it came, and what is in use is refused.
    assertEquals(
        "DependencyViolation",
        shell.run("aws ec2 delete-vpc --vpc-id $W 2>&1 | grep -o DependencyViolation"));
    shell.run(
        """
        aws ec2 delete-nat-gateway --nat-gateway-id $NAT
        aws ec2 wait nat-gateway-deleted --nat-gateway-ids $NAT
        aws ec2 release-address --allocation-id $EIP
        """);
    assertEquals(
        "blackhole",
        shell.run(
            "id describe-route-tables --route-table-ids $PRIVATE"
                + " --query \"RouteTables[0].Routes[?NatGatewayId=='$NAT'].State\""));
    Ended after = tasks.once("box", "$PRIVATE_A", "$GROUP", knock(OUTSIDE));
    assertNotEquals("0", after.exitCode(), after::toString);
  }
}
