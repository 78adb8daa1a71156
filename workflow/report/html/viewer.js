// Meshes that turn: all of one subject side by side, by pointer, touch or arrow keys.
import {
  BufferAttribute,
  BufferGeometry,
  DoubleSide,
  Group,
  Mesh,
  MeshNormalMaterial,
  OrthographicCamera,
  Scene,
  WebGLRenderer,
} from "three";

const STEP = Math.PI / 24;
const PER_PIXEL = Math.PI / 300;
const GAP = 0.85;

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
}

function meshOf({ positions, faces }) {
  const packed = new Uint16Array(bytes(positions));
  const geometry = new BufferGeometry();
  const points = Float32Array.from(packed, (value) => value / 65535 - 0.5);
  geometry.setAttribute("position", new BufferAttribute(points, 3));
  geometry.setIndex(new BufferAttribute(new Uint32Array(bytes(faces)), 1));
  geometry.computeVertexNormals();
  return new Mesh(geometry, new MeshNormalMaterial({ side: DoubleSide }));
}

function start(canvas, entries, choice, names) {
  const renderer = new WebGLRenderer({ canvas, antialias: true });
  renderer.setClearColor(0xffffff);
  const scene = new Scene();
  const camera = new OrthographicCamera();
  camera.position.z = 5;
  let groups = [];
  let azimuth = 0;

  function draw() {
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    renderer.setPixelRatio(Math.min(window.devicePixelRatio, 2));
    renderer.setSize(width, height, false);
    const half = Math.max((groups.length * GAP) / 2, (0.55 * width) / height);
    Object.assign(camera, { left: -half, right: half });
    Object.assign(camera, { top: (half * height) / width, bottom: (-half * height) / width });
    camera.updateProjectionMatrix();
    for (const group of groups) group.rotation.y = azimuth;
    renderer.render(scene, camera);
    canvas.dataset.azimuth = azimuth.toFixed(3);
  }

  function show(entry) {
    for (const group of groups) {
      group.children[0].geometry.dispose();
      scene.remove(group);
    }
    groups = entry.meshes.map((mesh, number) => {
      const group = new Group();
      group.add(meshOf(mesh));
      group.position.x = (number - (entry.meshes.length - 1) / 2) * GAP;
      scene.add(group);
      return group;
    });
    names.textContent = `From left to right: ${entry.meshes.map((mesh) => mesh.name).join(", ")}.`;
    draw();
  }

  function turn(angle) {
    azimuth += angle;
    draw();
  }

  canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) turn(event.movementX * PER_PIXEL);
  });
  canvas.addEventListener("keydown", (event) => {
    const angle = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (angle === undefined) return;
    event.preventDefault();
    turn(angle);
  });
  choice.addEventListener("change", () => show(entries[choice.selectedIndex]));
  new ResizeObserver(draw).observe(canvas);
  show(entries[0]);
}

const canvas = document.getElementById("meshes");
if (canvas) {
  const entries = JSON.parse(document.getElementById("mesh-data").textContent);
  const names = document.getElementById("mesh-names");
  try {
    start(canvas, entries, document.getElementById("mesh-subject"), names);
  } catch (fault) {
    names.textContent = `This browser cannot draw meshes (${fault.message}).`;
    canvas.hidden = true;
  }
}
