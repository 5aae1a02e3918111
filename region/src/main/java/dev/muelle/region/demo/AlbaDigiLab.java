package dev.muelle.region.demo;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ecs.model.AssignPublicIp;
import software.amazon.awssdk.services.ecs.model.ClientException;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.ClusterNotFoundException;
import software.amazon.awssdk.services.ecs.model.Compatibility;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.Deployment;
import software.amazon.awssdk.services.ecs.model.DeploymentConfiguration;
import software.amazon.awssdk.services.ecs.model.DesiredStatus;
import software.amazon.awssdk.services.ecs.model.LaunchType;
import software.amazon.awssdk.services.ecs.model.LogDriver;
import software.amazon.awssdk.services.ecs.model.NetworkConfiguration;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.OSFamily;
import software.amazon.awssdk.services.ecs.model.PortMapping;
import software.amazon.awssdk.services.ecs.model.RegisterTaskDefinitionRequest;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.Tag;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.TransportProtocol;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ActionTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.IpAddressType;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Listener;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerSchemeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthStateEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/**
 * The lab "Orquestación de Contenedores con AWS Fargate, ECS y ALB", with its names and values.
 * Each step looks first and converges, so that it can be run again at any time, also after it was
 * interrupted anywhere.
 */
public final class AlbaDigiLab {

  public static final String CLUSTER = "alba-digi-cluster";
  public static final String FAMILY = "alba-digi-task";
  public static final String SERVICE = "alba-digi-service";
  public static final String LOAD_BALANCER = "alba-digi-load-balancer";
  public static final String TARGET_GROUP = "alba-digi-target-group";
  public static final String LOG_GROUP = "/ecs/" + FAMILY;
  public static final String CONTAINER = Example.ALBA_DIGI.name();

  private static final int PORT = 5050;
  private static final int TASKS = 2;
  private static final Duration LIMIT = Duration.ofMinutes(5);
  private static final Pattern TASK = Pattern.compile("\"task\":\"([^\"]+)\"");

  private final Clients aws;
  private final ExampleImage image;
  private final Repository repository;
  private final Progress progress;
  private final Await await;

  /**
   * The lab in a region.
   *
   * @param registry where to push, for example {@code localhost:4566}
   */
  public AlbaDigiLab(
      Clients aws, ExampleImage image, String registry, Progress progress, InstantSource clock) {
    this.aws = aws;
    this.image = image;
    this.repository = new Repository(aws.ecr, image, registry);
    this.progress = progress;
    this.await = new Await(clock);
  }

  /** Creates everything and shows it answering. */
  public void create() throws Exception {
    progress.step("Build the image " + CONTAINER, () -> size(image.assemble()));
    String uri = progress.step("ECR repository", repository::uri);
    progress.step("Push the image", () -> repository.push(Map.of(), "latest"));
    progress.step("Cluster " + CLUSTER, this::cluster);
    String taskDefinition =
        progress.step(
            "Task definition " + FAMILY, () -> taskDefinition(uri + ":latest"), AlbaDigiLab::name);
    List<Subnet> subnets = defaultSubnets();
    String vpc = subnets.getFirst().vpcId();
    List<String> subnetIds = subnets.stream().map(Subnet::subnetId).toList();
    String group = defaultSecurityGroup(vpc);
    progress.step("Default security group lets HTTP in", () -> admitHttp(group));
    LoadBalancer loadBalancer =
        progress.step(
            "Load balancer " + LOAD_BALANCER,
            () -> loadBalancer(subnetIds, group),
            balancer -> balancer.state().codeAsString());
    String targetGroup =
        progress.step("Target group " + TARGET_GROUP, () -> targetGroup(vpc), AlbaDigiLab::name);
    progress.step("Listener 80:HTTP", () -> listener(loadBalancer.loadBalancerArn(), targetGroup));
    progress.step(
        "Service " + SERVICE, () -> service(taskDefinition, subnetIds, group, targetGroup));
    progress.step("Two tasks are running and the service is steady", this::steady);
    progress.step("Both targets are healthy", () -> healthy(targetGroup));
    show(loadBalancer.dnsName());
  }

  /** Deletes everything that {@link #create} makes, in the lab's last section's order. */
  public void remove() throws Exception {
    progress.step("Delete service " + SERVICE, this::removeService);
    progress.step("Delete load balancer " + LOAD_BALANCER, this::removeLoadBalancer);
    progress.step("Delete target group " + TARGET_GROUP, this::removeTargetGroup);
    progress.step("Deregister " + FAMILY, this::removeTaskDefinitions);
    progress.step("Delete cluster " + CLUSTER, this::removeCluster);
    progress.step("Delete repository " + CONTAINER, repository::remove);
    progress.step("Delete log group " + LOG_GROUP, this::removeLogGroup);
  }

  private String cluster() {
    Tag name = Tag.builder().key("Name").value(CLUSTER).build();
    Cluster cluster = aws.ecs.createCluster(r -> r.clusterName(CLUSTER).tags(name)).cluster();
    return cluster.status();
  }

  private String taskDefinition(String imageName) {
    String role = "arn:aws:iam::" + aws.sts.getCallerIdentity().account() + ":role/LabRole";
    String region = aws.ecs.serviceClientConfiguration().region().id();
    ContainerDefinition container =
        ContainerDefinition.builder()
            .name(CONTAINER)
            .image(imageName)
            .essential(true)
            .cpu(1024)
            .memoryReservation(2048)
            .portMappings(
                PortMapping.builder()
                    .containerPort(PORT)
                    .hostPort(PORT)
                    .protocol(TransportProtocol.TCP)
                    .build())
            .logConfiguration(l ->
                l.logDriver(LogDriver.AWSLOGS)
                    .options(
                        Map.of(
                            "awslogs-group",
                            LOG_GROUP,
                            "awslogs-region",
                            region,
                            "awslogs-stream-prefix",
                            "ecs",
                            "awslogs-create-group",
                            "true")))
            .build();
    RegisterTaskDefinitionRequest wanted =
        RegisterTaskDefinitionRequest.builder()
            .family(FAMILY)
            .requiresCompatibilities(Compatibility.FARGATE)
            .networkMode(NetworkMode.AWSVPC)
            .cpu("1024")
            .memory("3072")
            .taskRoleArn(role)
            .executionRoleArn(role)
            .runtimePlatform(p -> p.operatingSystemFamily(OSFamily.LINUX))
            .containerDefinitions(container)
            .build();
    Optional<TaskDefinition> latest = latestTaskDefinition();
    if (latest.isPresent() && same(latest.get(), container)) {
      return latest.get().taskDefinitionArn();
    }
    return aws.ecs.registerTaskDefinition(wanted).taskDefinition().taskDefinitionArn();
  }

  private Optional<TaskDefinition> latestTaskDefinition() {
    try {
      return Optional.of(
          aws.ecs.describeTaskDefinition(r -> r.taskDefinition(FAMILY)).taskDefinition());
    } catch (ClientException e) {
      return Optional.empty();
    }
  }

  /** Whether a registered revision already says what the lab says. */
  private static boolean same(TaskDefinition have, ContainerDefinition want) {
    return have.containerDefinitions().size() == 1
        && have.containerDefinitions().getFirst().image().equals(want.image())
        && have.containerDefinitions().getFirst().logConfiguration() != null;
  }

  private List<Subnet> defaultSubnets() {
    return aws.ec2
        .describeSubnets(
            r -> r.filters(Filter.builder().name("default-for-az").values("true").build()))
        .subnets();
  }

  private String defaultSecurityGroup(String vpc) {
    return aws.ec2
        .describeSecurityGroups(r ->
            r.filters(
                Filter.builder().name("vpc-id").values(vpc).build(),
                Filter.builder().name("group-name").values("default").build()))
        .securityGroups()
        .getFirst()
        .groupId();
  }

  private String admitHttp(String group) {
    try {
      aws.ec2.authorizeSecurityGroupIngress(r ->
          r.groupId(group)
              .ipPermissions(
                  IpPermission.builder()
                      .ipProtocol("tcp")
                      .fromPort(80)
                      .toPort(80)
                      .ipRanges(IpRange.builder().cidrIp("0.0.0.0/0").build())
                      .build()));
    } catch (Ec2Exception e) {
      if (!e.awsErrorDetails().errorCode().equals("InvalidPermission.Duplicate")) {
        throw e;
      }
    }
    return group;
  }

  private LoadBalancer loadBalancer(List<String> subnets, String group) throws Exception {
    String arn =
        aws.elb
            .createLoadBalancer(r ->
                r.name(LOAD_BALANCER)
                    .type(LoadBalancerTypeEnum.APPLICATION)
                    .scheme(LoadBalancerSchemeEnum.INTERNET_FACING)
                    .ipAddressType(IpAddressType.IPV4)
                    .subnets(subnets)
                    .securityGroups(group))
            .loadBalancers()
            .getFirst()
            .loadBalancerArn();
    return await.until(
        "active load balancer",
        LIMIT,
        () ->
            aws.elb.describeLoadBalancers(r -> r.loadBalancerArns(arn)).loadBalancers().stream()
                .filter(balancer -> balancer.state().codeAsString().equals("active"))
                .findFirst());
  }

  private String targetGroup(String vpc) {
    return aws.elb
        .createTargetGroup(r ->
            r.name(TARGET_GROUP)
                .targetType(TargetTypeEnum.IP)
                .protocol(ProtocolEnum.HTTP)
                .port(PORT)
                .vpcId(vpc)
                .healthCheckProtocol(ProtocolEnum.HTTP)
                .healthCheckPath("/alive"))
        .targetGroups()
        .getFirst()
        .targetGroupArn();
  }

  private String listener(String loadBalancer, String targetGroup) {
    Optional<Listener> present =
        aws.elb.describeListeners(r -> r.loadBalancerArn(loadBalancer)).listeners().stream()
            .filter(listener -> listener.port() == 80)
            .findFirst();
    if (present.isEmpty()) {
      aws.elb.createListener(r ->
          r.loadBalancerArn(loadBalancer)
              .protocol(ProtocolEnum.HTTP)
              .port(80)
              .defaultActions(
                  Action.builder()
                      .type(ActionTypeEnum.FORWARD)
                      .targetGroupArn(targetGroup)
                      .build()));
    }
    return "forwards to " + TARGET_GROUP;
  }

  private String service(
      String taskDefinition, List<String> subnets, String group, String targetGroup)
      throws Exception {
    Optional<Service> present = describeService();
    if (present.isPresent() && present.get().status().equals("DRAINING")) {
      awaitInactive();
      present = Optional.empty();
    }
    if (present.isPresent() && present.get().status().equals("ACTIVE")) {
      aws.ecs.updateService(r ->
          r.cluster(CLUSTER).service(SERVICE).taskDefinition(taskDefinition).desiredCount(TASKS));
      return "is there, brought up to date";
    }
    NetworkConfiguration network =
        NetworkConfiguration.builder()
            .awsvpcConfiguration(c ->
                c.subnets(subnets).securityGroups(group).assignPublicIp(AssignPublicIp.ENABLED))
            .build();
    aws.ecs.createService(r ->
        r.cluster(CLUSTER)
            .serviceName(SERVICE)
            .launchType(LaunchType.FARGATE)
            .taskDefinition(taskDefinition)
            .desiredCount(TASKS)
            .deploymentConfiguration(
                DeploymentConfiguration.builder()
                    .minimumHealthyPercent(100)
                    .maximumPercent(200)
                    .build())
            .healthCheckGracePeriodSeconds(30)
            .networkConfiguration(network)
            .loadBalancers(
                software.amazon.awssdk.services.ecs.model.LoadBalancer.builder()
                    .targetGroupArn(targetGroup)
                    .containerName(CONTAINER)
                    .containerPort(PORT)
                    .build()));
    return "created";
  }

  private String steady() throws Exception {
    String[] before = {""};
    return await.until(
        "steady service",
        this::lastWords,
        LIMIT,
        () -> {
          Service service = describeService().orElseThrow();
          String now = summary(service);
          if (!now.equals(before[0])) {
            before[0] = now;
            progress.note(now);
          }
          return service.deployments().size() == 1
                  && service.runningCount() == TASKS
                  && service.pendingCount() == 0
              ? Optional.of("steady")
              : Optional.empty();
        });
  }

  private static String summary(Service service) {
    Deployment primary = service.deployments().getFirst();
    return "%d running, %d pending, %s"
        .formatted(service.runningCount(), service.pendingCount(), primary.rolloutStateAsString());
  }

  /** What the service says, and why its tasks stopped. */
  private String lastWords() {
    Stream<String> events =
        describeService().stream()
            .flatMap(service -> service.events().stream())
            .limit(3)
            .map(event -> event.message());
    List<String> stopped =
        aws.ecs.listTasks(r -> r.cluster(CLUSTER).desiredStatus(DesiredStatus.STOPPED)).taskArns();
    Stream<String> reasons =
        stopped.isEmpty()
            ? Stream.of()
            : aws.ecs.describeTasks(r -> r.cluster(CLUSTER).tasks(stopped)).tasks().stream()
                .map(task -> task.stoppedReason());
    return Stream.concat(events, reasons)
        .filter(Objects::nonNull)
        .distinct()
        .map(line -> "\n  " + line)
        .collect(Collectors.joining());
  }

  private String healthy(String targetGroup) throws Exception {
    String[] before = {""};
    return await.until(
        "two healthy targets",
        LIMIT,
        () -> {
          Map<String, Long> states =
              aws
                  .elb
                  .describeTargetHealth(r -> r.targetGroupArn(targetGroup))
                  .targetHealthDescriptions()
                  .stream()
                  .collect(
                      Collectors.groupingBy(
                          target -> target.targetHealth().stateAsString(),
                          TreeMap::new,
                          Collectors.counting()));
          String now = states.toString();
          if (!now.equals(before[0])) {
            before[0] = now;
            progress.note(now);
          }
          return states.getOrDefault(TargetHealthStateEnum.HEALTHY.toString(), 0L) == TASKS
              ? Optional.of("healthy")
              : Optional.empty();
        });
  }

  private Optional<Service> describeService() {
    try {
      return aws.ecs.describeServices(r -> r.cluster(CLUSTER).services(SERVICE)).services().stream()
          .filter(service -> !service.status().equals("INACTIVE"))
          .findFirst();
    } catch (ClusterNotFoundException e) {
      return Optional.empty();
    }
  }

  /** Asks through the load balancer's name until both tasks have answered. */
  private void show(String dnsName) throws Exception {
    String url = "http://" + dnsName;
    progress.say("");
    progress.say("$ curl " + url + "/alive");
    progress.say(curl(url + "/alive"));
    Map<String, String> answers = new TreeMap<>();
    await.until(
        "answer from both tasks",
        LIMIT,
        () -> {
          String answer = curl(url + "/whoami");
          Matcher task = TASK.matcher(answer);
          if (task.find() && answers.put(task.group(1), answer) == null) {
            progress.say("$ curl " + url + "/whoami");
            progress.say(answer);
          }
          return answers.size() >= TASKS ? Optional.of(answers) : Optional.empty();
        });
  }

  /** curl, because it resolves .localhost by itself wherever the machine's resolver does not. */
  private static String curl(String url) throws Exception {
    Process curl =
        new ProcessBuilder("curl", "--silent", "--show-error", "--fail", "--max-time", "10", url)
            .redirectErrorStream(true)
            .start();
    String said = new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
    if (!curl.waitFor(15, TimeUnit.SECONDS) || curl.exitValue() != 0) {
      throw new IllegalStateException("curl " + url + ": " + said);
    }
    return said;
  }

  private String removeService() throws Exception {
    Optional<Service> service = describeService();
    if (service.isEmpty()) {
      return "is not there";
    }
    if (service.get().status().equals("ACTIVE")) {
      aws.ecs.deleteService(r -> r.cluster(CLUSTER).service(SERVICE).force(true));
    }
    awaitInactive();
    await.until(
        "end of the last task",
        LIMIT,
        () ->
            aws.ecs.listTasks(r -> r.cluster(CLUSTER)).taskArns().isEmpty()
                ? Optional.of(true)
                : Optional.empty());
    return "done";
  }

  private void awaitInactive() throws Exception {
    await.until(
        "end of the old service",
        LIMIT,
        () -> describeService().isEmpty() ? Optional.of(true) : Optional.empty());
  }

  private String removeLoadBalancer() {
    try {
      String arn =
          aws.elb
              .describeLoadBalancers(r -> r.names(LOAD_BALANCER))
              .loadBalancers()
              .getFirst()
              .loadBalancerArn();
      aws.elb.deleteLoadBalancer(r -> r.loadBalancerArn(arn));
      return "done";
    } catch (LoadBalancerNotFoundException e) {
      return "is not there";
    }
  }

  private String removeTargetGroup() throws Exception {
    try {
      List<TargetGroup> groups =
          aws.elb.describeTargetGroups(r -> r.names(TARGET_GROUP)).targetGroups();
      aws.elb.deleteTargetGroup(r -> r.targetGroupArn(groups.getFirst().targetGroupArn()));
      return "done";
    } catch (TargetGroupNotFoundException e) {
      return "is not there";
    }
  }

  private String removeTaskDefinitions() {
    List<String> revisions =
        aws.ecs.listTaskDefinitions(r -> r.familyPrefix(FAMILY)).taskDefinitionArns();
    for (String revision : revisions) {
      aws.ecs.deregisterTaskDefinition(r -> r.taskDefinition(revision));
    }
    return revisions.size() == 1 ? "1 revision" : revisions.size() + " revisions";
  }

  private String removeCluster() {
    try {
      aws.ecs.deleteCluster(r -> r.cluster(CLUSTER));
      return "done";
    } catch (ClusterNotFoundException e) {
      return "is not there";
    }
  }

  private String removeLogGroup() {
    try {
      aws.logs.deleteLogGroup(r -> r.logGroupName(LOG_GROUP));
      return "done";
    } catch (software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException e) {
      return "is not there";
    }
  }

  private static String name(String arn) {
    return arn.substring(arn.indexOf(':') + 1).replaceAll(".*:", "");
  }

  private static String size(List<Path> parts) throws IOException {
    long bytes = 0;
    for (Path part : parts) {
      try (var files = Files.walk(part)) {
        bytes += files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
      }
    }
    return bytes / (1024 * 1024) + " MiB";
  }
}
