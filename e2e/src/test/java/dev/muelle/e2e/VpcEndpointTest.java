package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.e2e.FargateTasks.Ended;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Tasks speak to the region's own APIs: by HTTPS under the names that AWS has, with the keys of
 * their role, through the internet gateway or an interface endpoint, and not without either.
 */
@Timeout(600)
class VpcEndpointTest extends RegionTest {

  private static final String TIMED_OUT = "28"; // curl's: a dropped packet is not answered
  private static final String LOGS = "logs.us-east-1.amazonaws.com";
  private static final String ECS = "ecs.us-east-1.amazonaws.com";

  /** What every task knows: {@code call SECONDS HOST SERVICE TARGET JSON}. */
  private static final String CALL =
      """
      curl -sS http://169.254.170.2/_muelle/authority.pem > /tmp/ca.pem
      KEYS=$(curl -sS http://169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI | tr ',{}' '\\n\\n\\n')
      key() { echo "$KEYS" | grep "\\"$1\\"" | cut -d'"' -f4; }
      call() {
        curl -sS --max-time $1 --cacert /tmp/ca.pem --aws-sigv4 aws:amz:us-east-1:$3 \\
          --user "$(key AccessKeyId):$(key SecretAccessKey)" -H "X-Amz-Security-Token: $(key Token)" \\
          -H 'Content-Type: application/x-amz-json-1.1' -H "X-Amz-Target: $4" -d "$5" https://$2/
      }
      """;

  private static final String CLUSTERS = "ecs AmazonEC2ContainerServiceV20141113.ListClusters '{}'";

  private static final String GROUPS =
      "logs Logs_20140328.DescribeLogGroups '{\"logGroupNamePrefix\":\"/inside\"}'";

  @BeforeAll
  static void furnish() throws IOException {
    shell.run(
        """
        id() { aws ec2 "$@" --output text; }
        aws logs create-log-group --log-group-name /inside
        aws ecs register-task-definition --family speaker --requires-compatibilities FARGATE \\
          --network-mode awsvpc --cpu 256 --memory 512 \\
          --execution-role-arn arn:aws:iam::000000000000:role/LabRole \\
          --task-role-arn arn:aws:iam::000000000000:role/LabRole \\
          --container-definitions '[{"name":"main","image":"'$IMAGE'","logConfiguration":{
            "logDriver":"awslogs","options":{"awslogs-group":"/e2e","awslogs-region":"us-east-1",
            "awslogs-stream-prefix":"t","awslogs-create-group":"true"}}}]'
        """);
  }

  private static String script(String text) {
    byte[] whole = (CALL + text).getBytes(StandardCharsets.UTF_8);
    return "echo "
        + Base64.getEncoder().encodeToString(whole)
        + " | base64 -d > /tmp/s; exec sh /tmp/s";
  }

  private static Ended inside(String text) throws IOException {
    return tasks.once("speaker", "$PRIVATE", "$TASKS", script(text));
  }

  private static Ended knock(String host, String what) throws IOException {
    return inside("call 3 " + host + " " + what);
  }

  private static void reaches(String host, String what, String answer) throws IOException {
    Ended ended = inside("call 60 " + host + " " + what);
    assertTrue(ended.output().contains(answer), ended::toString);
  }

  private static void restart() throws IOException {
    long pid = region.server().pid();
    region.bare("kill -9 " + pid + "; while [ -d /proc/" + pid + " ]; do sleep 0.05; done");
    region.up();
  }

  @Test
  void aPrivateSubnetReachesTheLogsThroughAnEndpointOnly() throws Exception {
    shell.run(
        """
        PVPC=$(id create-vpc --cidr-block 10.40.0.0/16 --query Vpc.VpcId)
        aws ec2 modify-vpc-attribute --vpc-id $PVPC --enable-dns-hostnames
        PRIVATE=$(id create-subnet --vpc-id $PVPC --cidr-block 10.40.1.0/24 \\
          --availability-zone us-east-1a --query Subnet.SubnetId)
        TASKS=$(id describe-security-groups --filters Name=vpc-id,Values=$PVPC \\
          --query 'SecurityGroups[0].GroupId')
        DOOR=$(id create-security-group --group-name door --description door --vpc-id $PVPC \\
          --query GroupId)
        aws ec2 authorize-security-group-ingress --group-id $DOOR --protocol tcp --port 443 \\
          --cidr 10.40.0.0/16
        """);
    Ended before = knock(LOGS, GROUPS);
    assertEquals(TIMED_OUT, before.exitCode(), before::toString);

    shell.run(
        """
        ENDPOINT=$(id create-vpc-endpoint --vpc-endpoint-type Interface --vpc-id $PVPC \\
          --service-name com.amazonaws.us-east-1.logs --subnet-ids $PRIVATE \\
          --security-group-ids $DOOR --query VpcEndpoint.VpcEndpointId)
        available() {
          [ "$(id describe-vpc-endpoints --vpc-endpoint-ids $ENDPOINT \\
            --query 'VpcEndpoints[0].State')" = available ]
        }
        await available
        OWN=$(id describe-vpc-endpoints --vpc-endpoint-ids $ENDPOINT \\
          --query 'VpcEndpoints[0].DnsEntries[0].DnsName')
        """);
    String own = shell.run("echo $OWN");
    Ended put =
        inside(
            """
            call 60 %1$s logs Logs_20140328.CreateLogStream '{"logGroupName":"/inside","logStreamName":"s"}'
            call 60 %1$s logs Logs_20140328.PutLogEvents '{"logGroupName":"/inside","logStreamName":"s",
              "logEvents":[{"timestamp":'$(date +%%s)'000,"message":"from inside"}]}'
            """
                .formatted(LOGS));
    assertEquals("0", put.exitCode(), put::toString);
    assertEquals(
        "from inside",
        shell.run(
            "aws logs get-log-events --log-group-name /inside --log-stream-name s"
                + " --query 'events[].message' --output text"),
        put::toString);
    reaches(own, GROUPS, "/inside");
    Ended other = knock(ECS, CLUSTERS);
    assertEquals(TIMED_OUT, other.exitCode(), "there is no endpoint for it");
    Ended wrong = inside("call 60 " + own + " " + CLUSTERS);
    assertTrue(wrong.output().contains("not served here"), wrong::toString);

    // Who takes the server's place serves it again.
    restart();
    shell.run("await available");
    reaches(LOGS, GROUPS, "/inside");

    // Its groups judge who comes.
    shell.run(
        "aws ec2 revoke-security-group-ingress --group-id $DOOR --protocol tcp --port 443"
            + " --cidr 10.40.0.0/16");
    Ended barred = knock(LOGS, GROUPS);
    assertEquals(TIMED_OUT, barred.exitCode(), barred::toString);
    shell.run(
        "aws ec2 modify-vpc-endpoint --vpc-endpoint-id $ENDPOINT --remove-security-group-ids $DOOR"
            + " --add-security-group-ids $TASKS");
    reaches(LOGS, GROUPS, "/inside");

    // Without private DNS only its own names mean it.
    shell.run("aws ec2 modify-vpc-endpoint --vpc-endpoint-id $ENDPOINT --no-private-dns-enabled");
    Ended outside = knock(LOGS, GROUPS);
    assertEquals(TIMED_OUT, outside.exitCode(), outside::toString);
    reaches(own, GROUPS, "/inside");

    // What it has is in use until it is gone.
    assertEquals(
        "DependencyViolation",
        shell.run(
            "(aws ec2 delete-subnet --subnet-id $PRIVATE 2>&1 || true) | grep -o"
                + " DependencyViolation"));
    shell.run(
        """
        aws ec2 delete-vpc-endpoints --vpc-endpoint-ids $ENDPOINT
        gone() { ! aws ec2 describe-vpc-endpoints --vpc-endpoint-ids $ENDPOINT 2> /dev/null; }
        await gone
        deleted() { aws ec2 delete-subnet --subnet-id $PRIVATE; } # once its tasks' interfaces went
        await deleted
        aws ec2 delete-security-group --group-id $DOOR
        aws ec2 delete-vpc --vpc-id $PVPC
        """);
  }

  @Test
  void aPublicAddressLeadsToTheApisThroughTheInternetGateway() throws Exception {
    Ended led =
        tasks.awaitStopped(
            tasks.startPublic(
                "speaker", "$SUBNET", "$DEFAULT_GROUP", script("call 60 " + ECS + " " + CLUSTERS)));
    assertTrue(led.output().contains("cluster/default"), led::toString);
    Ended bare =
        tasks.once(
            "speaker", "$SUBNET", "$DEFAULT_GROUP", script("call 3 " + ECS + " " + CLUSTERS));
    assertEquals(TIMED_OUT, bare.exitCode(), bare::toString);
  }
}
