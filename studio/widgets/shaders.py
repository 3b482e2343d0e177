"""The viewport's GLSL programs (GLSL 1.20, which every desktop OpenGL and Mesa's llvmpipe accept)."""

# `window`: how large a part of the whole picture is drawn, and where its middle is.
BACKGROUND_VERTEX = """
attribute vec2 position;
uniform vec4 window;
varying vec2 v_place;
void main() {
    v_place = position * window.xy + window.zw;
    gl_Position = vec4(position, 0.0, 1.0);
}
"""

# A soft glow behind the object; the noise hides the steps between neighbouring greys.
BACKGROUND_FRAGMENT = """
uniform vec3 edge;
uniform vec3 glow;
uniform float aspect;
varying vec2 v_place;
void main() {
    float radius = length((v_place - vec2(0.0, 0.12)) * vec2(min(aspect, 1.6), 1.0));
    float noise = fract(sin(dot(gl_FragCoord.xy, vec2(12.9898, 78.233))) * 43758.5453) - 0.5;
    float amount = 1.0 - smoothstep(0.0, 1.55, radius);
    gl_FragColor = vec4(mix(edge, glow, amount * amount) + noise / 255.0, 1.0);
}
"""

MESH_VERTEX = """
attribute vec3 position;
attribute vec3 normal;
attribute float mark;
uniform mat4 camera;
uniform mat4 projection;
varying vec3 v_normal;
varying vec3 v_normal_camera;
varying vec3 v_place_camera;
varying vec3 v_place;
varying float v_mark;
void main() {
    vec4 place = camera * vec4(position, 1.0);
    v_normal = normal;
    v_normal_camera = mat3(camera[0].xyz, camera[1].xyz, camera[2].xyz) * normal;
    v_place_camera = place.xyz;
    v_place = position;
    v_mark = mark;
    gl_Position = projection * place;
}
"""

# Hemispheric ambient light, so that no side is black; a soft key light fixed to the camera; a little rim and sheen.
# What is marked is coloured from `low` over `middle` to `high`. Where it is `CUT`, what lies beyond a plane is not
# drawn, and what is left ends in a thin line of the colour that the cut itself has: its steps do not show there.
# With a `MATCAP` all of that light is in the picture of a ball, looked up by where the surface faces as it is seen.
MESH_FRAGMENT = """
uniform vec3 clay;
uniform float alpha;
uniform float marked;
uniform vec3 low;
uniform vec3 middle;
uniform vec3 high;
uniform float floor_height;
varying float v_mark;
varying vec3 v_normal;
varying vec3 v_normal_camera;
varying vec3 v_place_camera;
varying vec3 v_place;
#ifdef CUT
uniform vec4 plane;
uniform vec3 cut;
#endif
#ifdef MATCAP
uniform sampler2D ball;
#endif
void main() {
#ifdef CUT
    float beyond = dot(plane, vec4(v_place, 1.0));
    float width = max(fwidth(beyond), 1e-6);
    if (beyond > 0.0) discard;
#endif
    vec3 normal = normalize(v_normal_camera);
    vec3 toward = normalize(-v_place_camera);
    float above = mix(0.82, 1.0, smoothstep(0.0, 0.35, v_place.y - floor_height));
#ifdef MATCAP
    vec3 right = normalize(vec3(toward.z, 0.0, -toward.x));
    vec2 faces = vec2(dot(right, normal), dot(cross(toward, right), normal));
    vec3 colour = above * texture2D(ball, 0.5 + 0.5 * faces).rgb;
#else
    vec3 key = normalize(vec3(-0.45, 0.75, 0.62));
    vec3 fill = normalize(vec3(0.85, 0.05, 0.35));
    vec3 sky = vec3(1.00, 1.01, 1.04);
    vec3 ground = vec3(0.40, 0.39, 0.40);

    vec3 light = 0.52 * mix(ground, sky, 0.5 + 0.5 * normalize(v_normal).y);
    light += 0.50 * pow(max(0.5 + 0.5 * dot(normal, key), 0.0), 2.0);
    light += 0.10 * max(dot(normal, fill), 0.0);
    light *= above;
    float sheen = 0.10 * pow(max(dot(normal, normalize(key + toward)), 0.0), 28.0);
    float rim = 0.10 * pow(1.0 - abs(dot(normal, toward)), 3.0);
    vec3 telling = v_mark < 0.5 ? mix(low, middle, 2.0 * v_mark) : mix(middle, high, 2.0 * v_mark - 1.0);
    vec3 colour = mix(clay, telling, marked) * light + sheen + rim;
#endif
#ifdef CUT
    colour = mix(cut, colour, clamp(-beyond / width, 0.0, 1.0));
#endif
    gl_FragColor = vec4(colour, alpha);
}
"""

CUT, MATCAP = "#define CUT\n", "#define MATCAP\n"
"""What `MESH_FRAGMENT` is preceded by to do so."""

# The cut itself, flat, with lines across it that are as wide on the screen wherever they are.
CUT_VERTEX = """
attribute vec3 position;
uniform mat4 camera;
uniform mat4 projection;
varying vec3 v_place;
void main() {
    v_place = position;
    gl_Position = projection * camera * vec4(position, 1.0);
}
"""

CUT_FRAGMENT = """
uniform vec3 cut;
uniform vec3 hatch;
uniform vec3 across;
varying vec3 v_place;
void main() {
    float place = dot(across, v_place);
    float width = max(fwidth(place), 1e-5);
    float away = abs(fract(place - 0.5) - 0.5) / width;
    float cover = (1.0 - smoothstep(0.2, 1.3, away)) * (1.0 - smoothstep(0.15, 0.4, width));
    gl_FragColor = vec4(mix(cut, hatch, cover), 1.0);
}
"""

LINE_VERTEX = """
attribute vec3 position;
uniform mat4 camera;
uniform mat4 projection;
uniform vec4 plane;
varying float v_beyond;
void main() {
    v_beyond = dot(plane, vec4(position, 1.0));
    gl_Position = projection * camera * vec4(position, 1.0);
}
"""

LINE_FRAGMENT = """
uniform vec4 colour;
varying float v_beyond;
void main() {
    if (v_beyond > 0.0) discard;
    gl_FragColor = colour;
}
"""

# Seen from below: how close the object's underside is to the floor.
SHADOW_VERTEX = """
attribute vec3 position;
uniform vec3 origin;
uniform float extent;
uniform vec4 plane;
varying float v_height;
varying float v_beyond;
void main() {
    v_beyond = dot(plane, vec4(position, 1.0));
    vec3 place = (position - origin) / extent;
    v_height = position.y - origin.y;
    gl_Position = vec4(place.x, place.z, place.y * 0.5 - 0.5, 1.0);
}
"""

SHADOW_FRAGMENT = """
varying float v_height;
varying float v_beyond;
void main() {
    if (v_beyond > 0.0) discard;
    gl_FragColor = vec4(exp(-2.6 * max(v_height, 0.0)), 0.0, 0.0, 1.0);
}
"""

BLUR_FRAGMENT = """
uniform sampler2D picture;
uniform vec2 step;
varying vec2 v_place;
void main() {
    vec2 at = 0.5 + 0.5 * v_place;
    float sum = 0.0;
    float weights = 0.0;
    for (int i = -9; i <= 9; i++) {
        float offset = float(i);
        float weight = exp(-offset * offset / 36.0);
        sum += weight * texture2D(picture, at + offset * step).r;
        weights += weight;
    }
    gl_FragColor = vec4(sum / weights, 0.0, 0.0, 1.0);
}
"""

FLOOR_VERTEX = """
attribute vec2 position;
uniform mat4 camera;
uniform mat4 projection;
uniform vec3 origin;
uniform float reach;
varying vec2 v_floor;
void main() {
    v_floor = position * reach + origin.xz;
    gl_Position = projection * camera * vec4(v_floor.x, origin.y, v_floor.y, 1.0);
}
"""

# Lines of constant width on the screen, finer ones between, fading with distance; the shadow lies under them.
FLOOR_FRAGMENT = """
uniform vec2 rows;
uniform vec3 line_colour;
uniform vec3 shadow_colour;
uniform float lines;
uniform float shade;
uniform vec3 origin;
uniform float extent;
uniform sampler2D shadow;
varying vec2 v_floor;

float line_cover(float cell) {
    vec2 place = v_floor / cell;
    vec2 width = max(fwidth(place), vec2(1e-5));
    vec2 away = abs(fract(place - 0.5) - 0.5) / width;
    float fade = 1.0 - smoothstep(0.25, 0.7, max(width.x, width.y));
    return fade * max(1.0 - smoothstep(0.0, 1.0, away.x), 1.0 - smoothstep(0.0, 1.0, away.y));
}

void main() {
    float distance = length(v_floor - origin.xz);
    float fade = 1.0 - smoothstep(1.0, 3.4, distance);
    float cover = max(0.16 * line_cover(0.125), 0.34 * line_cover(0.5)) * fade * lines;

    vec2 at = 0.5 + 0.5 * (v_floor - origin.xz) / extent;
    float inside = step(0.0, at.x) * step(at.x, 1.0) * step(0.0, at.y) * step(at.y, 1.0);
    float dark = inside * shade * texture2D(shadow, at).r;

    float alpha = dark + cover * (1.0 - dark);
    vec3 colour = (shadow_colour * dark * (1.0 - cover) + line_colour * cover) / max(alpha, 1e-4);
    // Mesa's llvmpipe draws a row more than a scissor leaves where edges are smoothed
    float between = step(rows.x, gl_FragCoord.y) * step(gl_FragCoord.y, rows.y);
    gl_FragColor = vec4(colour, alpha * between);
}
"""
