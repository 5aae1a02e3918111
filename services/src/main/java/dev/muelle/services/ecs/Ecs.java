package dev.muelle.services.ecs;

import dev.muelle.engine.Engine;
import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.network.Network;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.InstanceBoots;
import dev.muelle.services.Measurements;
import dev.muelle.services.Objects;
import dev.muelle.services.Scope;
import dev.muelle.services.SessionKeys;
import dev.muelle.services.VpcHttp;
import dev.muelle.services.ecs.agent.AgentProtection;
import dev.muelle.services.ecs.agent.DockerStats;
import dev.muelle.services.ecs.agent.HealthChecks;
import dev.muelle.services.ecs.agent.InstanceMachines;
import dev.muelle.services.ecs.agent.LogPump;
import dev.muelle.services.ecs.agent.TaskAgent;
import dev.muelle.services.ecs.agent.TaskCredentials;
import dev.muelle.services.ecs.agent.TaskEndpoint;
import dev.muelle.services.ecs.agent.TaskMetadata;
import dev.muelle.services.ecs.agent.TaskNetworks;
import dev.muelle.services.ecs.agent.Utilization;
import dev.muelle.services.ecs.capacity.AutoScalingGroups;
import dev.muelle.services.ecs.capacity.CapacityProviders;
import dev.muelle.services.ecs.cluster.AccountSettings;
import dev.muelle.services.ecs.cluster.Clusters;
import dev.muelle.services.ecs.definition.Roles;
import dev.muelle.services.ecs.definition.TaskDefinitionRules;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.event.ToldStore;
import dev.muelle.services.ecs.instance.AgentUpdates;
import dev.muelle.services.ecs.instance.ContainerInstances;
import dev.muelle.services.ecs.instance.InstanceAgents;
import dev.muelle.services.ecs.instance.InstanceAttributes;
import dev.muelle.services.ecs.scaling.ClusterCapacity;
import dev.muelle.services.ecs.service.Alarms;
import dev.muelle.services.ecs.service.BalancerRules;
import dev.muelle.services.ecs.service.Deployments;
import dev.muelle.services.ecs.service.ServiceCreation;
import dev.muelle.services.ecs.service.ServiceHistory;
import dev.muelle.services.ecs.service.ServiceScheduler;
import dev.muelle.services.ecs.service.ServiceUpdates;
import dev.muelle.services.ecs.service.Services;
import dev.muelle.services.ecs.service.Targets;
import dev.muelle.services.ecs.service.TaskSets;
import dev.muelle.services.ecs.state.Choices;
import dev.muelle.services.ecs.state.ClusterNames;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.task.ExecSessions;
import dev.muelle.services.ecs.task.Fleets;
import dev.muelle.services.ecs.task.InstanceTasks;
import dev.muelle.services.ecs.task.Networks;
import dev.muelle.services.ecs.task.Protections;
import dev.muelle.services.ecs.task.TaskChanges;
import dev.muelle.services.ecs.task.TaskFactory;
import dev.muelle.services.ecs.task.TaskOverrides;
import dev.muelle.services.ecs.task.Tasks;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Store.Change;
import dev.muelle.wire.Caller;
import dev.muelle.wire.http.WebSocket;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.ecs.model.CreateCapacityProviderRequest;
import software.amazon.awssdk.services.ecs.model.CreateCapacityProviderResponse;
import software.amazon.awssdk.services.ecs.model.CreateClusterRequest;
import software.amazon.awssdk.services.ecs.model.CreateClusterResponse;
import software.amazon.awssdk.services.ecs.model.CreateServiceRequest;
import software.amazon.awssdk.services.ecs.model.CreateServiceResponse;
import software.amazon.awssdk.services.ecs.model.CreateTaskSetRequest;
import software.amazon.awssdk.services.ecs.model.CreateTaskSetResponse;
import software.amazon.awssdk.services.ecs.model.DeleteAccountSettingRequest;
import software.amazon.awssdk.services.ecs.model.DeleteAccountSettingResponse;
import software.amazon.awssdk.services.ecs.model.DeleteAttributesRequest;
import software.amazon.awssdk.services.ecs.model.DeleteAttributesResponse;
import software.amazon.awssdk.services.ecs.model.DeleteCapacityProviderRequest;
import software.amazon.awssdk.services.ecs.model.DeleteCapacityProviderResponse;
import software.amazon.awssdk.services.ecs.model.DeleteClusterRequest;
import software.amazon.awssdk.services.ecs.model.DeleteClusterResponse;
import software.amazon.awssdk.services.ecs.model.DeleteServiceRequest;
import software.amazon.awssdk.services.ecs.model.DeleteServiceResponse;
import software.amazon.awssdk.services.ecs.model.DeleteTaskDefinitionsRequest;
import software.amazon.awssdk.services.ecs.model.DeleteTaskDefinitionsResponse;
import software.amazon.awssdk.services.ecs.model.DeleteTaskSetRequest;
import software.amazon.awssdk.services.ecs.model.DeleteTaskSetResponse;
import software.amazon.awssdk.services.ecs.model.DeregisterContainerInstanceRequest;
import software.amazon.awssdk.services.ecs.model.DeregisterContainerInstanceResponse;
import software.amazon.awssdk.services.ecs.model.DeregisterTaskDefinitionRequest;
import software.amazon.awssdk.services.ecs.model.DeregisterTaskDefinitionResponse;
import software.amazon.awssdk.services.ecs.model.DescribeCapacityProvidersRequest;
import software.amazon.awssdk.services.ecs.model.DescribeCapacityProvidersResponse;
import software.amazon.awssdk.services.ecs.model.DescribeClustersRequest;
import software.amazon.awssdk.services.ecs.model.DescribeClustersResponse;
import software.amazon.awssdk.services.ecs.model.DescribeContainerInstancesRequest;
import software.amazon.awssdk.services.ecs.model.DescribeContainerInstancesResponse;
import software.amazon.awssdk.services.ecs.model.DescribeServiceDeploymentsRequest;
import software.amazon.awssdk.services.ecs.model.DescribeServiceDeploymentsResponse;
import software.amazon.awssdk.services.ecs.model.DescribeServiceRevisionsRequest;
import software.amazon.awssdk.services.ecs.model.DescribeServiceRevisionsResponse;
import software.amazon.awssdk.services.ecs.model.DescribeServicesRequest;
import software.amazon.awssdk.services.ecs.model.DescribeServicesResponse;
import software.amazon.awssdk.services.ecs.model.DescribeTaskDefinitionRequest;
import software.amazon.awssdk.services.ecs.model.DescribeTaskDefinitionResponse;
import software.amazon.awssdk.services.ecs.model.DescribeTaskSetsRequest;
import software.amazon.awssdk.services.ecs.model.DescribeTaskSetsResponse;
import software.amazon.awssdk.services.ecs.model.DescribeTasksRequest;
import software.amazon.awssdk.services.ecs.model.DescribeTasksResponse;
import software.amazon.awssdk.services.ecs.model.ExecuteCommandRequest;
import software.amazon.awssdk.services.ecs.model.ExecuteCommandResponse;
import software.amazon.awssdk.services.ecs.model.GetTaskProtectionRequest;
import software.amazon.awssdk.services.ecs.model.GetTaskProtectionResponse;
import software.amazon.awssdk.services.ecs.model.ListAccountSettingsRequest;
import software.amazon.awssdk.services.ecs.model.ListAccountSettingsResponse;
import software.amazon.awssdk.services.ecs.model.ListAttributesRequest;
import software.amazon.awssdk.services.ecs.model.ListAttributesResponse;
import software.amazon.awssdk.services.ecs.model.ListClustersRequest;
import software.amazon.awssdk.services.ecs.model.ListClustersResponse;
import software.amazon.awssdk.services.ecs.model.ListContainerInstancesRequest;
import software.amazon.awssdk.services.ecs.model.ListContainerInstancesResponse;
import software.amazon.awssdk.services.ecs.model.ListServiceDeploymentsRequest;
import software.amazon.awssdk.services.ecs.model.ListServiceDeploymentsResponse;
import software.amazon.awssdk.services.ecs.model.ListServicesByNamespaceRequest;
import software.amazon.awssdk.services.ecs.model.ListServicesByNamespaceResponse;
import software.amazon.awssdk.services.ecs.model.ListServicesRequest;
import software.amazon.awssdk.services.ecs.model.ListServicesResponse;
import software.amazon.awssdk.services.ecs.model.ListTagsForResourceRequest;
import software.amazon.awssdk.services.ecs.model.ListTagsForResourceResponse;
import software.amazon.awssdk.services.ecs.model.ListTaskDefinitionFamiliesRequest;
import software.amazon.awssdk.services.ecs.model.ListTaskDefinitionFamiliesResponse;
import software.amazon.awssdk.services.ecs.model.ListTaskDefinitionsRequest;
import software.amazon.awssdk.services.ecs.model.ListTaskDefinitionsResponse;
import software.amazon.awssdk.services.ecs.model.ListTasksRequest;
import software.amazon.awssdk.services.ecs.model.ListTasksResponse;
import software.amazon.awssdk.services.ecs.model.PutAccountSettingDefaultRequest;
import software.amazon.awssdk.services.ecs.model.PutAccountSettingDefaultResponse;
import software.amazon.awssdk.services.ecs.model.PutAccountSettingRequest;
import software.amazon.awssdk.services.ecs.model.PutAccountSettingResponse;
import software.amazon.awssdk.services.ecs.model.PutAttributesRequest;
import software.amazon.awssdk.services.ecs.model.PutAttributesResponse;
import software.amazon.awssdk.services.ecs.model.PutClusterCapacityProvidersRequest;
import software.amazon.awssdk.services.ecs.model.PutClusterCapacityProvidersResponse;
import software.amazon.awssdk.services.ecs.model.RegisterContainerInstanceRequest;
import software.amazon.awssdk.services.ecs.model.RegisterContainerInstanceResponse;
import software.amazon.awssdk.services.ecs.model.RegisterTaskDefinitionRequest;
import software.amazon.awssdk.services.ecs.model.RegisterTaskDefinitionResponse;
import software.amazon.awssdk.services.ecs.model.RunTaskRequest;
import software.amazon.awssdk.services.ecs.model.RunTaskResponse;
import software.amazon.awssdk.services.ecs.model.StartTaskRequest;
import software.amazon.awssdk.services.ecs.model.StartTaskResponse;
import software.amazon.awssdk.services.ecs.model.StopServiceDeploymentRequest;
import software.amazon.awssdk.services.ecs.model.StopServiceDeploymentResponse;
import software.amazon.awssdk.services.ecs.model.StopTaskRequest;
import software.amazon.awssdk.services.ecs.model.StopTaskResponse;
import software.amazon.awssdk.services.ecs.model.SubmitTaskStateChangeRequest;
import software.amazon.awssdk.services.ecs.model.SubmitTaskStateChangeResponse;
import software.amazon.awssdk.services.ecs.model.TagResourceRequest;
import software.amazon.awssdk.services.ecs.model.TagResourceResponse;
import software.amazon.awssdk.services.ecs.model.UntagResourceRequest;
import software.amazon.awssdk.services.ecs.model.UntagResourceResponse;
import software.amazon.awssdk.services.ecs.model.UpdateCapacityProviderRequest;
import software.amazon.awssdk.services.ecs.model.UpdateCapacityProviderResponse;
import software.amazon.awssdk.services.ecs.model.UpdateClusterRequest;
import software.amazon.awssdk.services.ecs.model.UpdateClusterResponse;
import software.amazon.awssdk.services.ecs.model.UpdateClusterSettingsRequest;
import software.amazon.awssdk.services.ecs.model.UpdateClusterSettingsResponse;
import software.amazon.awssdk.services.ecs.model.UpdateContainerAgentRequest;
import software.amazon.awssdk.services.ecs.model.UpdateContainerAgentResponse;
import software.amazon.awssdk.services.ecs.model.UpdateContainerInstancesStateRequest;
import software.amazon.awssdk.services.ecs.model.UpdateContainerInstancesStateResponse;
import software.amazon.awssdk.services.ecs.model.UpdateServicePrimaryTaskSetRequest;
import software.amazon.awssdk.services.ecs.model.UpdateServicePrimaryTaskSetResponse;
import software.amazon.awssdk.services.ecs.model.UpdateServiceRequest;
import software.amazon.awssdk.services.ecs.model.UpdateServiceResponse;
import software.amazon.awssdk.services.ecs.model.UpdateTaskProtectionRequest;
import software.amazon.awssdk.services.ecs.model.UpdateTaskProtectionResponse;
import software.amazon.awssdk.services.ecs.model.UpdateTaskSetRequest;
import software.amazon.awssdk.services.ecs.model.UpdateTaskSetResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.iam.IamClient;

/** Amazon ECS of one account in one region. */
public final class Ecs implements EcsClient {

  private static final int TASKS_AT_ONCE = 512; // most of them wait for something
  private static final int SERVICES_AT_ONCE = 16;
  private static final int AGENTS_AT_ONCE = 16;
  private static final int CLUSTERS_AT_ONCE = 16;

  /** A look at a service is a look at all of its tasks, each of which wakes it when it changes. */
  private static final int SERVICE_REST = 4;

  /** Written by whoever balances, whenever a target's health changes. */
  private static final String TARGET_HEALTH = "elbv2.target_health";

  /** Written by EC2, whenever an instance comes or goes. */
  private static final String EC2_INSTANCES = "ec2.instances";

  private final Store store;
  private final Engine engine;
  private final AccountSettings settings;
  private final Clusters clusters;
  private final TaskDefinitions definitions;
  private final CapacityProviders providers;
  private final Tasks tasks;
  private final Fleets fleets;
  private final ContainerInstances instances;
  private final AgentUpdates agentUpdates;
  private final InstanceAttributes attributes;
  private final Services services;
  private final ServiceCreation creation;
  private final ServiceUpdates updates;
  private final ServiceHistory history;
  private final ServiceScheduler scheduler;
  private final TaskSets taskSets;
  private final Tagging tags;
  private final LogPump logs;
  private final TaskEndpoint endpoint;
  private final Protections protections;
  private final ExecSessions sessions;
  private final HealthChecks health;
  private final InstanceMachines machines;
  private final TaskAgent agent;
  private final Loop<String> taskLoop;
  private final Loop<String> serviceLoop;
  private final InstanceAgents agents;
  private final Utilization utilization;
  private final Loop<String> agentLoop;
  private final Loop<String> capacityLoop;
  private Store.Subscription changes = () -> {};
  private Engine.Watch watch = () -> {};

  /**
   * ECS.
   *
   * @param cloudWatch whose alarms may watch over deployments; null as long as there is none, then
   *     they are refused by name
   * @param measurements takes what tasks use
   * @param events takes what becomes of tasks, instances and services
   * @param objects where files with variables are
   * @param groups of which capacity providers can be made; {@link AutoScalingGroups#NONE} as long
   *     as there is no Auto Scaling
   * @param keys gives tasks their roles' keys
   */
  public Ecs(
      Scope scope,
      Store plain,
      Timers timers,
      Ids ids,
      RandomGenerator random,
      Ec2Client ec2,
      ElasticLoadBalancingV2Client elb,
      CloudWatchLogsClient logsClient,
      IamClient iam,
      @Nullable CloudWatchClient cloudWatch,
      Measurements measurements,
      EventOutbox events,
      Objects objects,
      AutoScalingGroups groups,
      InstanceBoots boots,
      Engine engine,
      Network network,
      VpcHttp vpcHttp,
      SessionKeys keys,
      String host) {
    Store store = new ToldStore(plain, timers, events);
    this.store = store;
    this.engine = engine;
    Roles roles = new Roles(scope, iam);
    TaskFactory factory = new TaskFactory(scope, ids);
    Networks networks = new Networks(ec2);
    settings = new AccountSettings(scope, store);
    ClusterNames names = new ClusterNames(scope);
    clusters = new Clusters(names, store, ids, settings);
    definitions = new TaskDefinitions(scope, store, timers, new TaskDefinitionRules(scope, roles));
    fleets = new Fleets(store, random);
    InstanceTasks onInstances = new InstanceTasks(store, timers, factory, fleets, random);
    providers = new CapacityProviders(scope, store, ids, names, groups);
    tasks =
        new Tasks(
            store,
            timers,
            names,
            definitions,
            networks,
            factory,
            onInstances,
            providers,
            new TaskOverrides(roles));
    instances = new ContainerInstances(scope, store, timers, ids, names, tasks, settings, engine);
    agents = new InstanceAgents(scope, store, ec2, clusters, instances, groups::isWarm, boots);
    agentUpdates = new AgentUpdates(store, names);
    attributes = new InstanceAttributes(store, names);
    Deployments deployments = new Deployments(scope, ids);
    Alarms alarms = new Alarms(cloudWatch);
    BalancerRules balancers = new BalancerRules(elb, roles);
    services = new Services(scope, store, timers, deployments, names);
    creation =
        new ServiceCreation(
            scope,
            store,
            timers,
            deployments,
            names,
            definitions,
            networks,
            providers,
            balancers,
            alarms);
    updates =
        new ServiceUpdates(
            store,
            timers,
            services,
            deployments,
            definitions,
            networks,
            providers,
            balancers,
            alarms);
    taskSets =
        new TaskSets(store, timers, ids, services, definitions, networks, providers, balancers);
    history = new ServiceHistory(store, timers, names);
    tags = new Tagging(scope, store);
    logs = new LogPump(store, timers, random, engine, logsClient, definitions, settings);
    protections = new Protections(store, timers, names);
    sessions = new ExecSessions(store, timers.machine(), ids, names, definitions, engine, host);
    TaskNetworks taskNetworks = new TaskNetworks(store, ec2, network);
    endpoint =
        new TaskEndpoint(
            store,
            definitions,
            new TaskMetadata(ec2, engine, taskNetworks, timers),
            new DockerStats(engine),
            new AgentProtection(protections, definitions, ids),
            new TaskCredentials(scope, definitions, iam, keys),
            vpcHttp);
    utilization = new Utilization(store, timers, engine, measurements);
    health = new HealthChecks(store, timers.machine(), random, engine, definitions);
    machines = new InstanceMachines(store, timers, random, engine);
    agent =
        new TaskAgent(
            scope,
            store,
            timers,
            ids,
            tasks,
            definitions,
            engine,
            network,
            ec2,
            new Targets(store, timers, ids, elb),
            taskNetworks,
            logs,
            endpoint,
            health,
            machines,
            objects,
            settings,
            this::wakeTask);
    scheduler =
        new ServiceScheduler(
            store, timers, ids, deployments, alarms, tasks, networks, factory, onInstances, elb);
    taskLoop = new Loop<>("ecs-task", timers, random, TASKS_AT_ONCE, agent::look);
    serviceLoop =
        new Loop<>("ecs-service", timers, random, SERVICES_AT_ONCE, SERVICE_REST, scheduler::look);
    agentLoop = new Loop<>("ecs-instance-agent", timers, random, AGENTS_AT_ONCE, agents::look);
    ClusterCapacity capacity =
        new ClusterCapacity(
            store,
            timers,
            networks,
            onInstances,
            new TaskChanges(store, timers, ids, tasks),
            ec2,
            groups,
            cloudWatch);
    capacityLoop =
        new Loop<>("ecs-capacity", timers, random, CLUSTERS_AT_ONCE, SERVICE_REST, capacity::look);
  }

  private void wakeTask(String id) {
    taskLoop.wake(id);
  }

  /** Takes up the work, also where an earlier server left it. */
  public void start() {
    changes = store.onChange(this::changed);
    watch =
        engine.watch(container -> {
          taskLoop.wake(TaskRecord.ofContainer(container));
          logs.wake(TaskRecord.ofContainer(container));
        });
    agent.removeLeftovers();
    store.read(tx -> tx.list(TaskRecord.TABLE)).forEach(row -> taskLoop.wake(row.key()));
    wakeServices();
    agents.ids().forEach(agentLoop::wake);
    store.read(tx -> tx.list(ClusterNames.TABLE)).forEach(row -> capacityLoop.wake(row.key()));
    utilization.start();
  }

  private void changed(Change change) {
    switch (change.table()) {
      case "ecs.tasks" -> {
        fleets.taskChanged(change.key());
        taskLoop.wake(change.key());
        wakeOthersOf(change.key());
      }
      case "ecs.clusters" -> capacityLoop.wake(change.key());
      case "ecs.services" -> serviceLoop.wake(change.key());
      case "ecs.service_deployments" -> serviceLoop.wake(serviceOf(change.key()));
      case "ecs.task_sets" -> serviceLoop.wake(serviceOf(change.key()));
      case "ecs.container_instances" -> {
        fleets.instanceChanged(change.key());
        machines.wake(change.key());
        wakeClusterOf(change.key());
      }
      case EC2_INSTANCES -> agentLoop.wake(change.key());
      case TARGET_HEALTH -> scheduler.behind(groupOf(change.key())).forEach(serviceLoop::wake);
      default -> {}
    }
  }

  /** Of {@code cluster/service/anything}. */
  private static String serviceOf(String key) {
    return key.substring(0, key.indexOf('/', key.indexOf('/') + 1));
  }

  private void wakeOthersOf(String taskId) {
    Optional<TaskRecord> task = store.read(tx -> tx.get(TaskRecord.TABLE, taskId)).map(Row::value);
    if (task.isEmpty()) {
      return;
    }
    if (task.get().serviceKey() != null) {
      serviceLoop.wake(task.get().serviceKey());
    }
    String provider = task.get().task().capacityProviderName();
    if (provider != null && !CapacityProviders.FARGATES.contains(provider)) {
      capacityLoop.wake(TaskRecord.idOf(task.get().task().clusterArn()));
    }
  }

  /** Of {@code target group|address|port}. */
  private static String groupOf(String key) {
    return key.substring(0, key.indexOf('|'));
  }

  /** An instance of it has come, gone or changed. */
  private void wakeClusterOf(String instanceId) {
    Optional<InstanceRecord> instance =
        store.read(tx -> tx.get(InstanceRecord.TABLE, instanceId)).map(Row::value);
    if (instance.isEmpty()) {
      wakeServices(); // it is forgotten, and so is its cluster
      return;
    }
    String cluster = instance.get().clusterArn();
    capacityLoop.wake(TaskRecord.idOf(cluster));
    store
        .read(tx -> tx.find(ServiceRecord.TABLE, "cluster", cluster))
        .forEach(row -> serviceLoop.wake(row.key()));
  }

  private void wakeServices() {
    store.read(tx -> tx.list(ServiceRecord.TABLE)).forEach(row -> serviceLoop.wake(row.key()));
  }

  /** How many vCPUs the tasks on an EC2 instance kept busy in the last minute. */
  public double vcpus(String ec2InstanceId) {
    return utilization.vcpus(ec2InstanceId);
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  /** Lets go; tasks keep running. */
  @Override
  public void close() {
    changes.close();
    watch.close();
    utilization.close();
    capacityLoop.close();
    agentLoop.close();
    serviceLoop.close();
    taskLoop.close();
    machines.close();
    health.close();
    logs.close();
    endpoint.close();
  }

  private static String caller() {
    return Caller.CURRENT.isBound() ? Caller.current().arn() : "";
  }

  @Override
  public CreateClusterResponse createCluster(CreateClusterRequest request) {
    return clusters.create(request);
  }

  @Override
  public DeleteClusterResponse deleteCluster(DeleteClusterRequest request) {
    return clusters.delete(request);
  }

  @Override
  public DescribeClustersResponse describeClusters(DescribeClustersRequest request) {
    return clusters.describe(Choices.known(request));
  }

  @Override
  public ListClustersResponse listClusters(ListClustersRequest request) {
    return clusters.list(request);
  }

  @Override
  public UpdateClusterResponse updateCluster(UpdateClusterRequest request) {
    return clusters.update(request);
  }

  @Override
  public UpdateClusterSettingsResponse updateClusterSettings(UpdateClusterSettingsRequest request) {
    return clusters.updateSettings(request);
  }

  @Override
  public ListAccountSettingsResponse listAccountSettings(ListAccountSettingsRequest request) {
    return settings.list(request);
  }

  @Override
  public PutAccountSettingResponse putAccountSetting(PutAccountSettingRequest request) {
    return settings.put(request);
  }

  @Override
  public PutAccountSettingDefaultResponse putAccountSettingDefault(
      PutAccountSettingDefaultRequest request) {
    return settings.putDefault(request);
  }

  @Override
  public DeleteAccountSettingResponse deleteAccountSetting(DeleteAccountSettingRequest request) {
    return settings.delete(request);
  }

  @Override
  public ExecuteCommandResponse executeCommand(ExecuteCommandRequest request) {
    return sessions.execute(request);
  }

  /** The other end of a command that somebody runs, at a path of the region's port. */
  public Optional<WebSocket> session(String path) {
    return sessions.open(path);
  }

  @Override
  public GetTaskProtectionResponse getTaskProtection(GetTaskProtectionRequest request) {
    return protections.get(request);
  }

  @Override
  public UpdateTaskProtectionResponse updateTaskProtection(UpdateTaskProtectionRequest request) {
    return protections.update(request);
  }

  @Override
  public RegisterTaskDefinitionResponse registerTaskDefinition(
      RegisterTaskDefinitionRequest request) {
    return definitions.register(request, caller());
  }

  @Override
  public DescribeTaskDefinitionResponse describeTaskDefinition(
      DescribeTaskDefinitionRequest request) {
    return definitions.describe(Choices.known(request));
  }

  @Override
  public DeregisterTaskDefinitionResponse deregisterTaskDefinition(
      DeregisterTaskDefinitionRequest request) {
    return definitions.deregister(request);
  }

  @Override
  public DeleteTaskDefinitionsResponse deleteTaskDefinitions(DeleteTaskDefinitionsRequest request) {
    return definitions.delete(request);
  }

  @Override
  public ListTaskDefinitionsResponse listTaskDefinitions(ListTaskDefinitionsRequest request) {
    return definitions.list(Choices.known(request));
  }

  @Override
  public ListTaskDefinitionFamiliesResponse listTaskDefinitionFamilies(
      ListTaskDefinitionFamiliesRequest request) {
    return definitions.families(Choices.known(request));
  }

  @Override
  public RunTaskResponse runTask(RunTaskRequest request) {
    return tasks.run(Choices.known(request));
  }

  @Override
  public StopTaskResponse stopTask(StopTaskRequest request) {
    return tasks.stop(request);
  }

  @Override
  public DescribeTasksResponse describeTasks(DescribeTasksRequest request) {
    return tasks.describe(Choices.known(request));
  }

  @Override
  public ListTasksResponse listTasks(ListTasksRequest request) {
    return tasks.list(Choices.known(request));
  }

  @Override
  public SubmitTaskStateChangeResponse submitTaskStateChange(SubmitTaskStateChangeRequest request) {
    return tasks.submit(request);
  }

  @Override
  public CreateCapacityProviderResponse createCapacityProvider(
      CreateCapacityProviderRequest request) {
    return providers.create(request);
  }

  @Override
  public UpdateCapacityProviderResponse updateCapacityProvider(
      UpdateCapacityProviderRequest request) {
    return providers.update(request);
  }

  @Override
  public DeleteCapacityProviderResponse deleteCapacityProvider(
      DeleteCapacityProviderRequest request) {
    return providers.delete(request);
  }

  @Override
  public DescribeCapacityProvidersResponse describeCapacityProviders(
      DescribeCapacityProvidersRequest request) {
    return providers.describe(Choices.known(request));
  }

  @Override
  public PutClusterCapacityProvidersResponse putClusterCapacityProviders(
      PutClusterCapacityProvidersRequest request) {
    return providers.put(Choices.known(request));
  }

  @Override
  public StartTaskResponse startTask(StartTaskRequest request) {
    return tasks.start(Choices.known(request));
  }

  @Override
  public RegisterContainerInstanceResponse registerContainerInstance(
      RegisterContainerInstanceRequest request) {
    return instances.register(request);
  }

  @Override
  public DeregisterContainerInstanceResponse deregisterContainerInstance(
      DeregisterContainerInstanceRequest request) {
    return instances.deregister(request);
  }

  @Override
  public DescribeContainerInstancesResponse describeContainerInstances(
      DescribeContainerInstancesRequest request) {
    return instances.describe(Choices.known(request));
  }

  @Override
  public ListContainerInstancesResponse listContainerInstances(
      ListContainerInstancesRequest request) {
    return instances.list(request);
  }

  @Override
  public UpdateContainerInstancesStateResponse updateContainerInstancesState(
      UpdateContainerInstancesStateRequest request) {
    return instances.updateState(request);
  }

  @Override
  public UpdateContainerAgentResponse updateContainerAgent(UpdateContainerAgentRequest request) {
    throw agentUpdates.refusal(request);
  }

  @Override
  public PutAttributesResponse putAttributes(PutAttributesRequest request) {
    return attributes.put(request);
  }

  @Override
  public DeleteAttributesResponse deleteAttributes(DeleteAttributesRequest request) {
    return attributes.delete(request);
  }

  @Override
  public ListAttributesResponse listAttributes(ListAttributesRequest request) {
    return attributes.list(request);
  }

  @Override
  public CreateServiceResponse createService(CreateServiceRequest request) {
    return creation.create(Choices.known(request), caller());
  }

  @Override
  public UpdateServiceResponse updateService(UpdateServiceRequest request) {
    return updates.update(Choices.known(request));
  }

  @Override
  public DeleteServiceResponse deleteService(DeleteServiceRequest request) {
    return services.delete(request);
  }

  @Override
  public DescribeServicesResponse describeServices(DescribeServicesRequest request) {
    return services.describe(Choices.known(request));
  }

  @Override
  public ListServicesResponse listServices(ListServicesRequest request) {
    return services.list(Choices.known(request));
  }

  @Override
  public ListServicesByNamespaceResponse listServicesByNamespace(
      ListServicesByNamespaceRequest request) {
    throw Services.notFound(request);
  }

  @Override
  public CreateTaskSetResponse createTaskSet(CreateTaskSetRequest request) {
    return taskSets.create(Choices.known(request));
  }

  @Override
  public UpdateTaskSetResponse updateTaskSet(UpdateTaskSetRequest request) {
    return taskSets.update(Choices.known(request));
  }

  @Override
  public DeleteTaskSetResponse deleteTaskSet(DeleteTaskSetRequest request) {
    return taskSets.delete(request);
  }

  @Override
  public DescribeTaskSetsResponse describeTaskSets(DescribeTaskSetsRequest request) {
    return taskSets.describe(Choices.known(request));
  }

  @Override
  public UpdateServicePrimaryTaskSetResponse updateServicePrimaryTaskSet(
      UpdateServicePrimaryTaskSetRequest request) {
    return taskSets.makePrimary(request);
  }

  @Override
  public StopServiceDeploymentResponse stopServiceDeployment(StopServiceDeploymentRequest request) {
    return history.stop(request);
  }

  @Override
  public ListServiceDeploymentsResponse listServiceDeployments(
      ListServiceDeploymentsRequest request) {
    return history.list(Choices.known(request));
  }

  @Override
  public DescribeServiceDeploymentsResponse describeServiceDeployments(
      DescribeServiceDeploymentsRequest request) {
    return history.deployments(request);
  }

  @Override
  public DescribeServiceRevisionsResponse describeServiceRevisions(
      DescribeServiceRevisionsRequest request) {
    return history.revisions(request);
  }

  @Override
  public TagResourceResponse tagResource(TagResourceRequest request) {
    return tags.tag(request);
  }

  @Override
  public UntagResourceResponse untagResource(UntagResourceRequest request) {
    return tags.untag(request);
  }

  @Override
  public ListTagsForResourceResponse listTagsForResource(ListTagsForResourceRequest request) {
    return tags.list(request);
  }
}
