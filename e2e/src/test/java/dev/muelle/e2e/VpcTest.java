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

  private static final String DOCUMENT = "private-subnets.md";

  private static Process web;
  private static LabDocument lab;

  @BeforeAll
  static void furnish() throws IOException {
    lab = LabDocument.read(DOCUMENT);
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
    shell.run("id() { aws ec2 \"$@\" --output text; }");
    shell.run(lab.sections(1, 3));
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
    shell.run(lab.sections(4, 4));
    String elastic =
        shell.run("id describe-addresses --allocation-ids $EIP --query 'Addresses[0].PublicIp'");
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
        TIMED_OUT, shell.run("curl -s --max-time 2 http://" + elastic + ":8080/ || echo $?"));

    // An ACL is stateless: without an entry for the answers nothing comes back.
    shell.run(lab.sections(5, 5));
    shell.run("aws ec2 delete-network-acl-entry --network-acl-id $ACL --ingress --rule-number 200");
    Ended unanswered = tasks.once("box", "$PRIVATE_B", "$GROUP", knock(OUTSIDE));
    assertEquals(TIMED_OUT, unanswered.exitCode(), unanswered::toString);
    shell.run(
        """
        aws ec2 create-network-acl-entry --network-acl-id $ACL --ingress --rule-number 200 --protocol tcp \\
          --port-range From=1024,To=65535 --rule-action allow --cidr-block 0.0.0.0/0
        """);
    Ended answered = tasks.once("box", "$PRIVATE_B", "$GROUP", fetch(OUTSIDE));
    assertEquals("outside", answered.output(), answered::toString);

    // All goes as it came, and what is in use is refused.
    assertEquals(
        "DependencyViolation",
        shell.run("(aws ec2 delete-vpc --vpc-id $VPC 2>&1 || true) | grep -o DependencyViolation"));
    shell.run("aws ecs stop-task --task " + server);
    tasks.awaitStopped(server);
    shell.run(lab.sections(6, 6));
    assertEquals(
        "1", shell.run("id describe-vpcs --query 'length(Vpcs)'"), "only the default one is left");
  }

  @Test
  void theSpanishDocumentHasTheSameCommands() throws Exception {
    assertEquals(lab.all(), LabDocument.read("private-subnets.es.md").all());
  }
}
